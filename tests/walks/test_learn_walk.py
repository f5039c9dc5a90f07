"""A learner in the browser: a quiz, what was missed as a card, the card reviewed; a patient interviewed and marked."""

from playwright.sync_api import expect


def test_a_quiz_becomes_cards(page, watch):
    page.goto("/learn")
    page.get_by_label("Topic", exact=True).first.fill("gout")
    page.get_by_label("Level").select_option("understand")
    page.get_by_role("button", name="Write the questions").click()
    page.wait_for_url("**/learn/quiz/q-*", timeout=120_000)
    item = page.locator("article").first
    stem = item.locator("fieldset p").inner_text()
    options = item.get_by_role("radio")
    expect(item.get_by_text("Not right")).to_have_count(0)
    for place in range(options.count()):
        options.nth(place).check()
        item.get_by_role("button", name="Check").click()
        expect(item.locator("[role=status]")).to_be_visible()
        if item.get_by_text("Not right").count():
            break
    expect(item.locator("li")).to_have_count(options.count())
    item.locator(".cite").first.click()
    expect(page.locator("#why h2")).not_to_have_text("Why")
    page.get_by_role("button", name="Make cards of what I missed").click()
    expect(page.locator("#added")).to_contain_text("1 cards added")
    page.locator("#added a").click()
    expect(page.locator("#card")).to_contain_text(stem[:40])
    page.get_by_text("Show the back").click()
    page.get_by_role("button", name="Good").click()
    expect(page.locator("#card")).to_contain_text("Nothing is due.")
    assert watch.errors == []


def test_a_patient_is_interviewed(page, watch):
    page.goto("/learn/patients")
    page.locator("tr", has_text="pain in my chest").get_by_role("button", name="Begin").click()
    page.wait_for_url("**/learn/patients/p-*", timeout=60_000)
    for asked, told in (("When did it start?", "two hours ago"), ("/test lipase", "not done")):
        page.get_by_label("Ask, or /exam PART, or /test NAME").fill(asked)
        page.keyboard.press("Enter")
        expect(page.locator("#turns .turn").last).to_contain_text(told, timeout=30_000)
    page.get_by_label("Your diagnoses, the likeliest first, one a line").fill("myocardial infarction")
    page.get_by_role("button", name="End and be marked").click()
    expect(page.get_by_role("heading", name="Never asked for")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("main")).to_contain_text("The case was: myocardial infarction")
    assert watch.errors == []


def test_a_topic_is_explained(page, watch):
    page.goto("/learn")
    form = page.locator("form", has=page.get_by_role("heading", name="Explain"))
    form.get_by_label("Topic", exact=True).fill("哮喘")
    form.get_by_label("Reader").select_option("resident")
    form.get_by_role("button", name="Explain").click()
    page.wait_for_url("**/learn/explain/e-*", timeout=120_000)
    expect(page.locator("main")).to_contain_text("呼吸困难")
    page.locator(".cite").first.click()
    expect(page.locator("#why h2")).not_to_have_text("Why")
    page.get_by_role("button", name="Patient", exact=True).click()
    expect(page.locator(".facts").first).to_contain_text("Patient")
    page.get_by_role("button", name="Make cards of it").click()
    expect(page.locator("#added")).to_contain_text("cards added")
    assert watch.errors == []
