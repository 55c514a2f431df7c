"""The page of this name: `page` draws it, the other files are its parts."""

from app.views.find.page import draw as draw
