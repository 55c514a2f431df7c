"""The page of this name: `page` draws it, the other files are its parts."""

from app.views.delivery.page import draw as draw
