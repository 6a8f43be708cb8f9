"""The chat page in headless Chromium.

Usage: check_page.py SERVER FOLDER. Screenshots are left in FOLDER.
"""

import os
import sys
import time

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait
from server import BASE, CHAT, Server

HOSTILE = "<img src=x onerror=window.owned=1><script>window.owned=2</script>"


def browser():
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,850"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))


class Page:
    def __init__(self, driver, server, folder):
        self.driver, self.server, self.folder = driver, server, folder

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def wait(self, condition, seconds=30):
        return WebDriverWait(self.driver, seconds, 0.05).until(lambda _: condition())

    def idle(self):
        self.wait(lambda: self.one("#log").get_attribute("aria-busy") != "true", 60)

    def shoot(self, name):
        self.driver.save_screenshot(os.path.join(self.folder, name + ".png"))

    def ask(self, text, settings=True):
        self.one("#prompt").send_keys(text, Keys.ENTER)

    def setting(self, name, value):
        self.driver.execute_script(
            "const f = document.getElementById(arguments[0]); f.value = arguments[1]; "
            "f.dispatchEvent(new Event('change'));", name, value)

    def endless(self, is_endless):
        """Has answers go on to their most tokens, or no longer: one that ends by itself cannot be stopped."""
        self.driver.execute_script("""
          window.plainFetch ??= window.fetch;
          window.fetch = !arguments[0] ? window.plainFetch : (to, how) => window.plainFetch(to,
            how?.body ? { ...how, body: JSON.stringify({ ...JSON.parse(how.body), ignore_eos: true }) } : how);""",
            is_endless)


def conversation(page):
    page.driver.get(page.server.url + "/")
    page.wait(lambda: page.one("#model").get_attribute("value") == CHAT)
    page.setting("temperature", "0")
    page.setting("max_tokens", "120")
    page.endless(True)
    page.ask("Write three short sentences about rain.")
    # It streams: the text grows while the answer runs.
    page.wait(lambda: len(page.one("article.assistant .body").text) > 10)
    early = len(page.one("article.assistant .body").text)
    page.wait(lambda: len(page.one("article.assistant .body").text) > early)
    page.idle()
    answer = page.one("article.assistant .body").text
    assert len(answer) > early
    assert "tokens/s" in page.one("article.assistant .stats").text
    page.shoot("desktop")
    # Reload: still there.
    page.driver.refresh()
    page.wait(lambda: page.all("article.assistant .body"))
    assert page.one("article.assistant .body").text == answer
    assert page.one("article.user .body").text == "Write three short sentences about rain."
    return answer


def stopping(page):
    page.endless(True)
    page.setting("max_tokens", "1500")
    page.ask("Count from one to one thousand.")
    page.wait(lambda: page.one("#stop").is_displayed())
    page.wait(lambda: page.all("article.assistant")[-1].find_element(By.CSS_SELECTOR, ".body").text)
    page.one("#stop").click()
    page.idle()
    assert "stopped" in page.all("article.assistant .stats")[-1].text
    # And by the keyboard.
    page.all("article.assistant .bar button")[-1].click()
    page.wait(lambda: page.one("#stop").is_displayed())
    page.wait(lambda: page.all("article.assistant")[-1].find_element(By.CSS_SELECTOR, ".body").text)
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.idle()
    assert "stopped" in page.all("article.assistant .stats")[-1].text
    page.endless(False)
    page.setting("max_tokens", "40")


def regenerate_and_edit(page):
    before = len(page.all("article"))
    page.all("article.assistant .bar button")[-1].click()
    page.idle()
    assert len(page.all("article")) == before
    edit = [b for b in page.all("article.user .bar button") if b.text == "Edit"][-1]
    edit.click()
    field = page.one("article textarea")
    field.clear()
    field.send_keys("Say hello instead.")
    page.one("article .bar button.main").click()
    page.idle()
    assert page.all("article.user .body")[-1].text == "Say hello instead."
    assert len(page.all("article")) == before


def hostile_answer(page):
    """A base model is made to say HTML: it must be text on the page."""
    page.one("#new").click()
    Select(page.one("#model")).select_by_value(BASE)
    page.setting("max_tokens", "4")
    page.ask("Repeat: " + HOSTILE)
    page.idle()
    page.driver.execute_script("""
      current.messages.push({ role: "assistant", model: "m", content: arguments[0] + "\\n\\n**" + arguments[0] +
        "** `" + arguments[0] + "` [x](javascript:window.owned=3) [y](https://example.org/\\"onclick=x)\\n\\n```html\\n"
        + arguments[0] + "\\n```\\n\\n| a | b |\\n|---|---|\\n| " + arguments[0] + " | 2 |" });
      current.messages.push({ role: "assistant", model: "m", content: "x", tokens: [
        { text: arguments[0], logprob: -0.1, top: [{ text: arguments[0], logprob: -0.1 }] }] });
      showAll();""", HOSTILE)
    time.sleep(0.3)
    assert page.driver.execute_script("return window.owned") is None
    assert not page.all("#log img, #log script, #log iframe")
    assert not [a for a in page.all("#log a") if not a.get_attribute("href").startswith("https://")]
    assert HOSTILE in page.all("article.assistant .body")[-2].text
    page.shoot("hostile")


def probabilities(page):
    page.one("#new").click()
    Select(page.one("#model")).select_by_value(CHAT)
    page.setting("max_tokens", "60")
    page.one("#gear").click()
    page.one("#probabilities").click()
    page.shoot("settings")
    page.one("#gear").click()
    page.ask("Why is the sky blue?")
    page.idle()
    tokens = page.all(".tokens span")
    assert len(tokens) > 5 and all(t.get_attribute("class").startswith("t") for t in tokens)
    webdriver.ActionChains(page.driver).move_to_element(tokens[3]).perform()
    page.wait(lambda: "%" in page.one(".detail").text)
    page.one(".tokens").send_keys(Keys.ARROW_RIGHT)
    assert page.one(".tokens span.on").text == tokens[4].text
    page.shoot("probabilities")
    page.one("#gear").click()
    page.one("#probabilities").click()
    page.one("#gear").click()


def markdown(page):
    page.driver.execute_script("""
      current.messages.push({ role: "assistant", model: "m", stats: "12 tokens", content:
        "# Title\\n\\nSome **bold**, *soft* and `code`.\\n\\n1. one\\n2. two\\n   - inner\\n\\n> quoted\\n\\n" +
        "```swift\\nlet x = 1 < 2 // <b>\\n```\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n\\nsnake_case_name and 2*3*4" });
      showAll();""")
    body = page.all("article.assistant .body")[-1]
    tags = {e.tag_name for e in body.find_elements(By.CSS_SELECTOR, "*")}
    assert {"h1", "strong", "em", "code", "ol", "ul", "li", "blockquote", "pre", "table"} <= tags, tags
    assert body.find_element(By.CSS_SELECTOR, "pre code").text == "let x = 1 < 2 // <b>"
    assert "snake_case_name" in body.text and "2*3*4" in body.text
    page.shoot("markdown")


def dark_and_phone(page):
    page.one("#theme").click()
    page.shoot("dark")
    page.driver.set_window_size(390, 844)
    time.sleep(0.3)
    wide = page.driver.execute_script("return document.documentElement.scrollWidth > innerWidth")
    assert not wide, "the page is wider than a phone"
    assert not page.one("#side").is_displayed()
    page.shoot("phone")
    page.one("#menu").click()
    page.wait(lambda: page.one("#side").is_displayed())
    page.shoot("phone-menu")
    page.driver.find_elements(By.CSS_SELECTOR, "nav li button.open")[0].click()
    page.driver.set_window_size(1200, 850)


def names_for_screen_readers(page):
    """Everything that can be operated has a name."""
    nameless = page.driver.execute_script("""
      return [...document.querySelectorAll("button, input, select, textarea")].filter((e) =>
        !e.textContent.trim() && !e.getAttribute("aria-label") && !(e.labels && e.labels.length)).map((e) => e.outerHTML)""")
    assert nameless == [], nameless
    assert page.one("#log").get_attribute("aria-live") == "polite"
    # The whole page can be reached by the keyboard.
    page.driver.execute_script("document.body.focus(); document.activeElement.blur()")
    reached = set()
    for _ in range(40):
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(page.driver.switch_to.active_element.get_attribute("id"))
    assert {"new", "model", "gear", "theme", "prompt", "send"} <= reached, reached


def nothing_from_elsewhere(page):
    import json
    asked = set()
    for entry in page.driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.add(message["params"]["request"]["url"].split("?")[0])
    foreign = [u for u in asked if not u.startswith((page.server.url, "data:"))]
    assert asked and not foreign, foreign
    loud = [e for e in page.driver.get_log("browser") if e["level"] == "SEVERE" and "favicon" not in e["message"]]
    assert not loud, loud


def main():
    folder = sys.argv[2]
    os.makedirs(folder, exist_ok=True)
    with Server(sys.argv[1], "--model", CHAT) as server:
        driver = browser()
        try:
            page = Page(driver, server, folder)
            for check in (conversation, stopping, regenerate_and_edit, hostile_answer, probabilities, markdown,
                          dark_and_phone, names_for_screen_readers, nothing_from_elsewhere):
                start = time.monotonic()
                try:
                    check(page)
                except BaseException:
                    page.shoot("failed")
                    print(f"FAIL  page       {check.__name__}")
                    raise
                print(f"ok    page       {check.__name__} ({time.monotonic() - start:.1f} s)")
        finally:
            driver.quit()


if __name__ == "__main__":
    main()
