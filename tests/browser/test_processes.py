"""People's side of processes: started from a card, claimed, begun, delegated, done by a substitute."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.test_funnel import open_deal
from tests.factories.browser import id_in

pytestmark = pytest.mark.browser

FILE = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"
  xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:crm="https://contentum.example/bpmn/crm" id="d"
  targetNamespace="https://contentum.example/bpmn/processes">
  <bpmn:process id="{key}" name="{name}" crm:object="deals.deal" isExecutable="true">
    <bpmn:startEvent id="Start" /><bpmn:endEvent id="End" />
    <bpmn:userTask id="Look" name="{task}" {who} crm:due="work P2D"><bpmn:extensionElements><crm:form>
      <crm:field key="finding" label="Finding" type="text" required="true" />
      <crm:outcome key="sound" label="Sound" style="primary" />
    </crm:form></bpmn:extensionElements></bpmn:userTask>
    <bpmn:sequenceFlow id="f1" sourceRef="Start" targetRef="Look" />
    <bpmn:sequenceFlow id="f2" sourceRef="Look" targetRef="End" />
  </bpmn:process>
  <bpmndi:BPMNDiagram id="dia"><bpmndi:BPMNPlane id="plane" bpmnElement="{key}">
    <bpmndi:BPMNShape id="s1" bpmnElement="Start">
      <dc:Bounds x="100" y="100" width="36" height="36" /></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="s2" bpmnElement="Look">
      <dc:Bounds x="200" y="78" width="100" height="80" /></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="s3" bpmnElement="End">
      <dc:Bounds x="360" y="100" width="36" height="36" /></bpmndi:BPMNShape>
    <bpmndi:BPMNEdge id="e1" bpmnElement="f1">
      <di:waypoint x="136" y="118" /><di:waypoint x="200" y="118" /></bpmndi:BPMNEdge>
    <bpmndi:BPMNEdge id="e2" bpmnElement="f2">
      <di:waypoint x="300" y="118" /><di:waypoint x="360" y="118" /></bpmndi:BPMNEdge>
  </bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>"""
TASK = """SELECT t.id FROM bpm_usertask t JOIN bpm_processinstance i ON i.id = t.instance_id
  WHERE i.record_id = ? AND t.name = ?"""
DONE = "SELECT 1 FROM bpm_usertask WHERE id = ? AND status = 'done'"


def publish(hand, folder, *, name, task, who) -> str:
    """The administrator takes a diagram in, publishes it, and lets it start by hand; its name, new each time."""
    key = f"process_{uuid4().hex[:8]}"
    name = f"{name} {key[-8:]}"
    page, file = hand.page, folder / f"{key}.bpmn"
    file.write_text(FILE.format(key=key, name=name, task=task, who=who))
    page.goto("/processes/definitions/")
    page.set_input_files("input[name=diagram]", file)
    page.locator("form:has(input[name=diagram]) [type=submit]").click()
    page.get_by_role("button", name=re.compile("Publish version")).click()
    hand.start()
    hand.click(page.get_by_role("link", name="Another start"))
    hand.click(page.locator("dialog[open]").get_by_role("button", name="Add"))
    expect(page.locator(".triggers")).to_contain_text("By hand from a card (deal)")
    assert hand.deeds == 2
    return name


def start(hand, deal, name):
    """A process from the head of the card: a button, and which one."""
    page = hand.page
    page.goto(f"/deals/{deal}/")
    hand.start()
    hand.click(page.get_by_role("link", name="Start a process"))
    hand.click(page.locator("dialog[open]").get_by_role("button", name=f"Start “{name}”"))
    expect(page.get_by_text(f"“{name}” was started.")).to_be_visible()
    assert hand.deeds == 2


def test_started_from_a_card_claimed_begun_and_done(person, product, tmp_path):
    admin, seller, colleague = person("admin"), person("rep"), person("teammate")
    role = 'crm:candidateRole="seller"'
    process = publish(admin, tmp_path, name="Credit check", task="Check the credit", who=role)
    deal = open_deal(seller, "Regały wysokiego składowania", "90000")
    start(seller, deal, process)
    (task,) = product.until(TASK, deal, "Check the credit")

    page = colleague.page
    page.goto("/processes/tasks/?show=role")
    page.locator(f"#task-{task} .row-link").click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_role("button", name="I take it").click()
    expect(dialog.get_by_role("button", name="Give back")).to_be_visible()
    dialog.get_by_label("Finding").fill("Two payments were late")
    dialog.get_by_role("button", name="Save for later").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert product.select(DONE, task) == []

    page.goto("/processes/tasks/")
    expect(page.locator(f"#task-{task}")).to_contain_text("begun")
    page.locator(f"#task-{task} .row-link").click()
    field = page.locator("dialog[open]").get_by_label("Finding")
    expect(field).to_have_value("Two payments were late")
    field.fill("Two payments were late, the rest in time")
    page.locator("dialog[open]").get_by_role("button", name="Sound").click()
    expect(page.locator(f"#task-{task}")).to_have_count(0)
    product.until(DONE, task)
    assert product.select("SELECT comment FROM bpm_usertask WHERE id = ?", task) == [("",)]
    expect(page.locator(".inbox-slot")).to_be_visible()

    seller.page.goto(f"/deals/{deal}/")
    expect(seller.page.locator("main")).to_contain_text(re.compile("did “Check the credit”"))


def test_delegated_with_a_word_and_done_by_the_substitute(person, product, tmp_path):
    admin, seller, head = person("admin"), person("rep"), person("head")
    asked = 'crm:assignee="requester"'
    process = publish(admin, tmp_path, name="Site photos", task="Describe the site", who=asked)
    deal = open_deal(seller, "Montaż suwnicy w hali B", "30000")
    start(seller, deal, process)
    (task,) = product.until(TASK, deal, "Describe the site")

    page = seller.page
    page.goto("/processes/tasks/")
    page.locator(f"#task-{task} .row-link").click()
    page.locator("dialog[open]").get_by_role("link", name="Delegate").click()
    page.locator("dialog[open] select[name=user]").select_option("teammate")
    page.locator("dialog[open]").get_by_label("What they should know").fill(
        "I am at the client's until Friday."
    )
    page.locator("dialog[open]").get_by_role("button", name="Delegate").click()
    expect(page.locator(f"#task-{task}")).to_have_count(0)
    page.goto("/processes/tasks/?show=delegated")
    expect(page.locator(f"#task-{task}")).to_be_visible()

    office = admin.page
    office.goto("/admin/people/absence/add/")
    people = {
        login: product.select("SELECT id FROM people_user WHERE username = ?", login)[0][0]
        for login in ("teammate", "head")
    }
    [(today,)] = product.select("SELECT date('now', 'localtime')")
    office.evaluate(
        """([user, substitute, day]) => {
          for (const [name, value] of [["user", user], ["substitute", substitute]]) {
            const list = document.querySelector(`[name=${name}]`);
            list.add(new Option("-", value, true, true));
          }
          for (const name of ["first_day", "last_day"]) document.querySelector(`[name=${name}]`).value = day;
        }""",
        [str(people["teammate"]), str(people["head"]), today],
    )
    office.locator("[name=_save]").first.click()
    product.until("SELECT 1 FROM people_absence WHERE user_id = ?", people["teammate"])

    page = head.page
    page.goto("/processes/tasks/")
    expect(page.locator(f"#task-{task}")).to_contain_text("for Anna Zielińska; Piotr Wójcik is away")
    page.locator(f"#task-{task} .row-link").click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("I am at the client's until Friday.")
    dialog.get_by_label("Finding").fill("Gate 4, crane rails are there")
    dialog.get_by_role("button", name="Sound").click()
    product.until(DONE, task)

    seller.page.goto(f"/deals/{deal}/")
    expect(seller.page.locator("main")).to_contain_text(
        re.compile(r"did “Describe the site” for Anna Zielińska")
    )
    assert id_in(seller.page.url) == deal
