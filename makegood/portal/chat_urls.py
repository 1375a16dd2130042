"""Addresses of the chat, below /chat/."""

from django.urls import path

from makegood.portal import chat_views

app_name = "chat"
urlpatterns = [
    path("widget.js", chat_views.widget, name="widget"),
    path("<slug:slug>/", chat_views.window, name="window"),
    path("<slug:slug>/begin", chat_views.begin, name="begin"),
    path("<slug:slug>/said", chat_views.said, name="said"),
    path("<slug:slug>/say", chat_views.say, name="say"),
    path("<slug:slug>/typing", chat_views.typing, name="typing"),
    path("<slug:slug>/hear", chat_views.hear, name="hear"),
    path("<slug:slug>/code", chat_views.ask_code, name="code"),
    path("<slug:slug>/vouch", chat_views.vouch, name="vouch"),
    path("<slug:slug>/prove", chat_views.prove, name="prove"),
]
