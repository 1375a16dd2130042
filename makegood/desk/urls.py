"""Addresses of the desk, below /desk/<merchant>/."""

from django.urls import path

from makegood.desk import (
    case_views,
    mail_views,
    money_views,
    order_views,
    policy_views,
    queue_views,
    security_views,
    sign_in_views,
    token_views,
    webhook_views,
)

app_name = "desk"
urlpatterns = [
    path("", queue_views.queue, name="queue"),
    path("sign-in", sign_in_views.sign_in, name="sign_in"),
    path("sign-out", sign_in_views.sign_out, name="sign_out"),
    path("sign-in/second", sign_in_views.second_step, name="second_step"),
    path("sign-in/passkey", sign_in_views.passkey_options, name="passkey_options"),
    path("security", security_views.security, name="security"),
    path("security/passkey", security_views.passkey_begin, name="passkey_begin"),
    path("security/passkey/add", security_views.passkey_add, name="passkey_add"),
    path("orders", order_views.orders, name="orders"),
    path("orders/<path:number>", order_views.order, name="order"),
    path("cases/<str:ref>", case_views.case, name="case"),
    path("cases/<str:ref>/history", case_views.audit, name="audit"),
    path("cases/<str:ref>/do/<slug:action>", case_views.act, name="act"),
    path("cases/<str:ref>/files/<int:number>", case_views.evidence, name="evidence"),
    path("cases/<str:ref>/files/<int:number>/small", case_views.thumbnail, name="thumbnail"),
    path("inbox", mail_views.inbox, name="inbox"),
    path("inbox/<str:ref>", mail_views.conversation, name="conversation"),
    path("inbox/<str:ref>/do/<slug:action>", mail_views.act, name="attend"),
    path("inbox/<str:ref>/files/<int:number>", mail_views.file, name="message_file"),
    path("mails/<int:mail>", mail_views.original, name="mail"),
    path("payouts", money_views.payouts, name="payouts"),
    path("budgets", money_views.budgets, name="budgets"),
    path("policy", policy_views.policies, name="policies"),
    path("policy/packs/<slug:pack>", policy_views.policy_pack, name="policy_pack"),
    path("policy/drafts/<str:draft>", policy_views.policy_draft, name="policy_draft"),
    path("policy/drafts/<str:draft>/check", policy_views.policy_check, name="policy_check"),
    path("outbox", money_views.outbox, name="outbox"),
    path("tokens", token_views.tokens, name="tokens"),
    path("webhooks", webhook_views.webhooks, name="webhooks"),
    path("webhooks/<str:ref>", webhook_views.webhook, name="webhook"),
    path("webhooks/<str:ref>/deliveries/<int:number>", webhook_views.delivery, name="delivery"),
]
