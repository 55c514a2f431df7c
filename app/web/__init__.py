"""What goes in and out by HTTP, around Streamlit, which serves whoever reaches it: by any name, any page, any file.

Here a request has to name a host that people open the app by; what belongs to a visitor (maps, downloads, uploads) is
theirs alone; no page may fetch anything from elsewhere; and nobody may keep a connection without using it.
"""
