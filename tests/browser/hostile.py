"""Names that try to be more than names."""

SCRIPT = "</script><img src=x onerror=\"window.top.hacked='img'\">"
NAMES = (
    f"{SCRIPT}甲厂",
    "<script>window.top.hacked='script'</script>乙厂",
    "'\"`quotes\\` & &lt;b&gt;丙厂",
    "[丁厂](javascript:window.top.hacked='link')",
    "$x^2$ :material/home: :smile: :red[戊厂] **bold** # ~~gone~~",
    "\u202eright-to-left\u202c \u200f己厂 😀👩‍🔬",
    "=HYPERLINK(1) @SUM(A1) +86",
    "庚" * 500,
    "unbroken" * 62,
    "{x} %s %(y)s {{z}} ${w} \\u0041",
)
