"""A real Chromium for tests in another language.

Takes one JSON object a line and answers each with one: `{"id": 1, "do": "evaluate", "page": "a", …}` with
`{"id": 1, "value": …}` or `{"id": 1, "error": "…"}`. Ends, with the browser, when its input does.
The first argument names the file that the browser's own chatter goes to.
"""

import json
import os
import shutil
import sys

from playwright.sync_api import sync_playwright

LIMIT = 20_000  # ms for anything that waits


class Pages:
    """Open pages by name, each in a context of its own, with what went wrong in it."""

    def __init__(self, browser):
        self.browser = browser
        self.pages = {}
        self.problems = {}

    def open(self, page, url, width=1280, height=800, scheme="light", with_page=None):
        """`with_page` names one whose storage and cookies are shared: another window of the same person."""
        if with_page:
            context = self.pages[with_page].context
        else:
            context = self.browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
            )
        opened = context.new_page()
        opened.set_default_timeout(LIMIT)
        problems = self.problems[page] = []
        opened.on("pageerror", lambda error: problems.append(f"uncaught: {error}"))
        opened.on(
            "console",
            lambda message: problems.append(f"{message.type}: {message.text} ({message.location.get('url')})")
            if message.type in ("error", "warning")
            else None,
        )
        self.pages[page] = opened
        opened.goto(url)

    def evaluate(self, page, script, argument=None):
        return self.pages[page].evaluate(script, argument)

    def click(self, page, selector):
        self.pages[page].click(selector)

    def press(self, page, key):
        self.pages[page].keyboard.press(key)

    def type(self, page, text):
        self.pages[page].keyboard.type(text)

    def reload(self, page):
        self.pages[page].reload()

    def screenshot(self, page, path):
        self.pages[page].screenshot(path=path)

    def problems_of(self, page):
        # Events are taken in while something is asked.
        self.pages[page].evaluate("0")
        return self.problems[page]

    def close(self, page):
        self.pages.pop(page).close()


def main():
    log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 2)
    program = shutil.which("chromium")
    if not program:
        print(json.dumps({"id": 0, "error": "there is no chromium: Tests/run installs it"}), flush=True)
        return
    with sync_playwright() as playwright:
        # As root, as in a container, Chromium has no sandbox.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        pages = Pages(browser)
        for line in sys.stdin:
            request = json.loads(line)
            answer = {"id": request.pop("id")}
            try:
                answer["value"] = getattr(pages, request.pop("do"))(**request)
            except Exception as error:  # every failure is the test's to judge
                answer["error"] = f"{type(error).__name__}: {error}"
            print(json.dumps(answer), flush=True)
        browser.close()


main()
