"""Addresses of the portal, below /s/<merchant>/."""

from django.urls import path

from makegood.portal import case_views, free_views, live_views, views

app_name = "portal"
urlpatterns = [
    path("", views.start, name="start"),
    path("find", views.find, name="find"),
    path("code", views.code, name="code"),
    path("leave", views.leave, name="leave"),
    path("mine", views.mine, name="mine"),
    path("orders/<path:number>", views.order, name="order"),
    path("ask/<slug:situation>/<path:number>", views.ask, name="ask"),
    path("write/<slug:situation>", free_views.ask_freely, name="write"),
    path("cases/<str:ref>", case_views.case, name="case"),
    path("cases/<str:ref>/live", live_views.live, name="live"),
    path("cases/<str:ref>/do/<slug:action>", case_views.act, name="act"),
    path("cases/<str:ref>/explanation", case_views.explanation, name="explanation"),
    path("cases/<str:ref>/explanation.pdf", case_views.explanation_pdf, name="explanation_pdf"),
    path("cases/<str:ref>/receipt.json", case_views.receipt, name="receipt"),
    path("cases/<str:ref>/files/<int:number>", case_views.evidence, name="evidence"),
    path("cases/<str:ref>/files/<int:number>/small", case_views.thumbnail, name="thumbnail"),
]
