"""Pushed notifications, through a push service that opens them: encrypted, signed, once, with today's rights."""

import json
import shutil
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from crm.jobs.models import Job
from crm.notify import push
from crm.notify.browsers import MOST_BROWSERS, add_browser
from crm.notify.models import Browser, Choice, Notification, PushKey
from crm.notify.notices import Way, choose
from crm.notify.services import Draft, mark_read, notify, notify_many
from tests.factories.browser import CHROMIUM
from tests.factories.counterparties import make_counterparty
from tests.factories.push_service import PushService, Receiver, b64, certificate, claims_of

ADDRESS = "/notifications/browsers/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("push"))


@pytest.fixture
def service(papers, settings, monkeypatch):
    made = PushService(*papers)
    monkeypatch.setenv("SSL_CERT_FILE", papers[0])
    settings.CRM_HTTP_ALLOWED = [made.host]
    settings.CRM_URL = "https://crm.example"
    yield made
    made.stop()


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def browser(db, rep, service, receiver):
    """The rep's, told of mentions and of nothing else."""
    choose(user=rep, ways={"mention": Way(False, "never", True)})
    return turned_on(rep, service, receiver)


def turned_on(user, service, receiver, name="one"):
    return add_browser(values={"endpoint": service.endpoint(name), **receiver.keys}, agent=FIREFOX, by=user)


def tell(user, record=None):
    params = {"who": "Ewa", "card": "Łódź", "text": "<b>proszę</b>"}
    text = "%(who)s mentioned you on “%(card)s”: %(text)s"
    return notify(user=user, kind="mention", text=text, params=params, record=record)


def job():
    return Job.objects.get(kind="notify.push")


@pytest.mark.django_db
def test_the_browser_opens_what_the_page_says_in_its_readers_language(
    browser, service, receiver, rep, run_jobs
):
    rep.language = "pl"
    rep.save()
    record = make_counterparty(rep, name="Łódź")
    row = tell(rep, record)
    assert (row.in_page, row.mail) == (False, "")
    run_jobs()
    [(path, headers, body)] = service.taken
    assert path == "/push/one"
    assert receiver.opened(body) == {
        "title": "Contentum",
        "body": "Ewa wspomina o Tobie w „Łódź”: <b>proszę</b>",
        "lang": "pl",
        "tag": f"notification-{row.pk}",
        "url": f"/counterparties/{record.pk}/",
    }
    assert "Łódź".encode() not in body
    assert (headers["Content-Encoding"], headers["Topic"]) == ("aes128gcm", f"notification-{row.pk}")
    assert 0 < int(headers["TTL"]) <= push.KEPT.total_seconds()
    claims, key = claims_of(headers["Authorization"])
    assert (claims["aud"], claims["sub"]) == (f"https://{service.host}", "https://crm.example")
    assert 0 < claims["exp"] - time.time() < 24 * 3600
    assert key == push.public_key() == PushKey.objects.get().public
    assert "PRIVATE KEY" not in PushKey.objects.get().sealed
    browser.refresh_from_db()
    assert (browser.last_used_at is not None, job().status) == (True, "done")
    run_jobs(timezone.now() + timedelta(days=2))
    assert len(service.taken) == 1


@pytest.mark.django_db
def test_each_browser_and_each_of_many_records_once(browser, service, receiver, rep, head, run_jobs):
    turned_on(rep, service, receiver, "two")
    turned_on(head, service, receiver, "heads")
    records = [make_counterparty(rep, name=name) for name in ("Ala", "Ola")]
    drafts = [Draft(rep, record) for record in records] + [Draft(head, records[0])]
    notify_many(kind="mention", text="Something happened", drafts=drafts)
    run_jobs()
    assert sorted(path for path, *_ in service.taken) == ["/push/one"] * 2 + ["/push/two"] * 2
    assert not Notification.objects.filter(user=rep, in_page=True).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(browser, service, rep, run_jobs, status):
    service.answers = [status]
    tell(rep)
    run_jobs()
    assert (Browser.objects.count(), job().status) == (0, "done")
    assert tell(rep) is None


@pytest.mark.django_db
def test_a_service_in_trouble_is_asked_again_and_one_that_refuses_is_not(browser, service, rep, run_jobs):
    service.answers = [500, 429, 201]
    tell(rep)
    now = timezone.now()
    run_jobs()
    assert (job().status, job().attempts) == ("due", 1)
    for hour in (1, 2):
        run_jobs(now + timedelta(hours=hour))
    assert (job().status, len(service.taken)) == ("done", 3)
    assert len({headers["Topic"] for _path, headers, _body in service.taken}) == 1
    Job.objects.all().delete()
    service.answers = [403]
    tell(rep)
    run_jobs()
    assert (job().status, job().error_params, Browser.objects.count()) == ("failed", {"status": "403"}, 1)


@pytest.mark.django_db
def test_silence_leaves_the_job_waiting(browser, service, rep, run_jobs, monkeypatch):
    monkeypatch.setattr(push, "SECONDS", 0.5)
    service.answers = ["silent"]
    tell(rep)
    run_jobs()
    assert (job().status, job().attempts, len(service.taken)) == ("due", 1, 1)


@pytest.mark.django_db
def test_an_address_that_became_private_is_not_asked(browser, service, rep, run_jobs, settings):
    settings.CRM_HTTP_ALLOWED = []
    tell(rep)
    run_jobs()
    assert (job().status, service.taken) == ("failed", [])


@pytest.mark.django_db
def test_somebody_dismissed_gets_nothing(browser, service, rep, run_jobs):
    tell(rep)
    rep.is_active = False
    rep.save()
    run_jobs()
    assert (service.taken, job().status, tell(rep)) == ([], "done", None)


def read_meanwhile(rep, **_):
    mark_read(user=rep)


def unwanted_now(rep, **_):
    choose(user=rep, ways={"mention": Way(True, "never", False)})


def hidden_now(record, outsider, **_):
    record.owner = outsider
    record.save()


def taken_over(head, service, receiver, **_):
    turned_on(head, service, receiver)


def too_old(**_):
    Notification.objects.update(created_at=timezone.now() - push.KEPT)


@pytest.mark.django_db
@pytest.mark.parametrize("happens", [read_meanwhile, unwanted_now, hidden_now, taken_over, too_old])
def test_what_changed_before_it_was_sent_is_heeded(
    happens, browser, service, receiver, rep, head, outsider, run_jobs
):
    record = make_counterparty(rep, name="Łódź")
    tell(rep, record)
    happens(rep=rep, record=record, outsider=outsider, head=head, service=service, receiver=receiver)
    run_jobs()
    assert (service.taken, job().status) == ([], "done")


@pytest.mark.django_db
def test_a_browser_belongs_to_whoever_turned_it_on_last(browser, service, receiver, rep, head):
    assert turned_on(head, service, receiver).pk == browser.pk
    assert list(Browser.objects.values_list("user", flat=True)) == [head.pk]
    assert tell(rep) is None


@pytest.mark.django_db
def test_without_a_browser_or_a_wish_nothing_is_pushed(rep, head, service, receiver):
    choose(user=rep, ways={"mention": Way(True, "never", True)})
    turned_on(head, service, receiver)
    assert (tell(rep).in_page, tell(head).in_page) == (True, True)
    assert not Job.objects.filter(kind="notify.push").exists()


@pytest.mark.django_db
def test_a_pair_that_cannot_be_read_is_made_anew(browser, settings):
    old = push.public_key()
    assert push.public_key() == old
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert push.public_key() == old
    settings.SECRET_KEY_FALLBACKS = []
    assert push.public_key() != old
    assert (PushKey.objects.count(), Browser.objects.count()) == (1, 0)


@pytest.mark.django_db
def test_the_page_turns_on_lists_and_turns_off(signed_in, rep, head, service, receiver):
    client = signed_in(rep)
    page = client.get("/notifications/choices/").content.decode()
    assert f'data-server-key="{push.public_key()}"' in page and "data-endpoint" not in page
    values = {"endpoint": service.endpoint("one"), **receiver.keys}
    answer = client.post(ADDRESS, values, headers={"HX-Request": "true", "User-Agent": FIREFOX})
    assert (answer.status_code, "Firefox, Linux" in answer.content.decode()) == (200, True)
    assert client.post(ADDRESS, values)["Location"] == "/notifications/choices/"
    [made] = Browser.objects.all()
    removal = f"{ADDRESS}{made.pk}/removal/"
    assert [client.get(address).status_code for address in (ADDRESS, removal)] == [405, 405]
    assert signed_in(head).post(removal).status_code == 404
    assert "data-endpoint" not in signed_in(head).get("/notifications/choices/").content.decode()
    answer = signed_in(rep).post(removal, headers={"HX-Request": "true"})
    assert (answer.status_code, Browser.objects.count()) == (200, 0)


RIGHT = {"endpoint": "https://8.8.8.8/push/one", **Receiver().keys}
HOSTILE = {
    "plain http": {"endpoint": "http://8.8.8.8/push"},
    "this machine": {"endpoint": "https://127.0.0.1/push"},
    "in disguise": {"endpoint": "https://0x7f000001/push"},
    "our network": {"endpoint": "https://10.0.0.1/push"},
    "mapped": {"endpoint": "https://[::ffff:192.168.0.1]/push"},
    "metadata": {"endpoint": "https://169.254.169.254/latest/"},
    "a password": {"endpoint": "https://a:b@8.8.8.8/push"},
    "a file": {"endpoint": "file:///etc/passwd"},
    "a script": {"endpoint": "javascript:alert(1)"},
    "ten kilobytes": {"endpoint": "https://8.8.8.8/" + "x" * 10_000},
    "letters": {"endpoint": "https://8.8.8.8/łódź"},
    "a line": {"endpoint": "https://8.8.8.8/a\r\nX: y"},
    "nothing": {"endpoint": ""},
    "zero byte": {"endpoint": "https://8.8.8.8/\x00"},
    "short key": {"public_key": b64(b"\4" + b"x" * 40)},
    "compressed key": {"public_key": b64(b"\2" + b"x" * 32)},
    "off the curve": {"public_key": b64(b"\4" + b"x" * 64)},
    "no base64": {"public_key": "ł" * 20},
    "long key": {"public_key": "A" * 5000},
    "short secret": {"auth": b64(b"x" * 15)},
    "long secret": {"auth": b64(b"x" * 17)},
    "no secret": {"auth": ""},
}


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", HOSTILE.values(), ids=HOSTILE)
def test_hostile_subscriptions_store_nothing(signed_in, rep, wrong):
    for headers in ({}, {"HX-Request": "true"}):
        answer = signed_in(rep).post(ADDRESS, {**RIGHT, **wrong}, headers=headers)
        assert (answer.status_code, Browser.objects.count()) == (422, 0)
    assert 'role="alert"' in answer.content.decode()


@pytest.mark.django_db
def test_enough_is_enough(signed_in, rep):
    Browser.objects.bulk_create(
        Browser(user=rep, endpoint=f"https://8.8.8.8/{number}", public_key="k", auth="a")
        for number in range(MOST_BROWSERS)
    )
    assert signed_in(rep).post(ADDRESS, RIGHT).status_code == 422
    assert Browser.objects.count() == MOST_BROWSERS
    Browser.objects.filter(endpoint="https://8.8.8.8/0").update(endpoint=RIGHT["endpoint"])
    assert signed_in(rep).post(ADDRESS, RIGHT, headers={"User-Agent": "x" * 4000}).status_code == 302


@pytest.mark.django_db
def test_it_is_off_until_asked_for_and_an_administrator_may_propose_it(signed_in, rep, admin_user):
    assert not Choice.objects.exists()
    page = signed_in(rep).get("/notifications/choices/").content.decode()
    assert "checked" not in page.partition('name="push-mention"')[2].partition(">")[0]
    signed_in(admin_user).post(
        "/admin/notify/choice/add/", {"kind": "mention", "page": "on", "mail": "never", "push": "on"}
    )
    page = signed_in(rep).get("/notifications/choices/").content.decode()
    assert "checked" in page.partition('name="push-mention"')[2].partition(">")[0]


SUBSCRIBED = """(given) => {
    const subscription = { endpoint: given.endpoint, unsubscribe: async () => true, toJSON: () => given };
    let current = null;
    PushManager.prototype.getSubscription = async () => current;
    PushManager.prototype.subscribe = async (options) => {
        if (options.applicationServerKey.length !== 65 || !options.userVisibleOnly) throw new Error("options");
        return (current = subscription);
    };
}"""
SHOWN = """async () => {
    const worker = await navigator.serviceWorker.ready;
    return (await worker.getNotifications()).map(
        ({title, body, tag, lang, data}) => ({title, body, tag, lang, url: data})
    );
}"""
CLICKED = """async () => {
    const done = [];
    self.clients.openWindow = async (address) => done.push("opened " + new URL(address).pathname);
    WindowClient.prototype.focus = async function () { done.push("focused " + new URL(this.url).pathname); };
    const [notification] = await self.registration.getNotifications();
    const event = new NotificationEvent("notificationclick", { notification });
    let waited;
    event.waitUntil = (promise) => (waited = promise);
    self.dispatchEvent(event);
    await waited;
    return done;
}"""


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_chromium_turns_it_on_shows_it_and_a_click_finds_the_open_tab(
    chromium, live_server, rep, service, receiver, run_jobs, tmp_path
):
    """The vendor's push service alone is left out: our double takes the message, and Chromium gets it from us."""
    context = chromium.browser_type.launch_persistent_context(
        str(tmp_path), executable_path=shutil.which("chromium"), args=CHROMIUM, base_url=live_server.url
    )
    context.set_default_timeout(20_000)
    context.grant_permissions(["notifications"], origin=live_server.url)
    page = context.new_page()
    page.goto("/accounts/login/")
    page.fill("#id_login", "rep")
    page.fill("#id_password", "demo")
    page.click("button.btn-primary")
    page.wait_for_url("**/")
    page.goto("/notifications/choices/")
    keys = {"p256dh": receiver.keys["public_key"], "auth": receiver.keys["auth"]}
    page.evaluate(SUBSCRIBED, {"endpoint": service.endpoint("one"), "keys": keys})
    page.check('[name="push-mention"]')
    page.locator("[data-push-on] button").click()
    page.locator("[data-push-here]").wait_for()
    assert page.locator("[data-push-on] button").is_hidden()
    assert page.is_checked('[name="push-mention"]')
    choose(user=rep, ways={"mention": Way(True, "never", True)})
    record = make_counterparty(rep, name="Łódź")
    row = tell(rep, record)
    run_jobs()
    told = receiver.opened(service.taken[0][2])
    found = []
    cdp = context.new_cdp_session(page)
    cdp.on("ServiceWorker.workerRegistrationUpdated", lambda said: found.extend(said["registrations"]))
    cdp.send("ServiceWorker.enable")
    worker = page.evaluate("navigator.serviceWorker.ready.then((found) => found.scope)")
    [registration] = {one["registrationId"] for one in found if one["scopeURL"] == worker}
    for url, done in (
        (row.url, f"opened {row.url}"),
        ("/notifications/choices/", "focused /notifications/choices/"),
    ):
        message = {
            "origin": live_server.url,
            "registrationId": registration,
            "data": json.dumps({**told, "url": url}),
        }
        cdp.send("ServiceWorker.deliverPushMessage", message)
        page.wait_for_function(f"async () => (await ({SHOWN})()).some((one) => one.url === '{url}')")
        assert page.evaluate(SHOWN) == [{**told, "url": url}]
        assert context.service_workers[0].evaluate(CLICKED) == [done]
    context.close()
