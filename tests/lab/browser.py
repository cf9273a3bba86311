# SPDX-License-Identifier: Apache-2.0
"""Chromium without a screen, through selenium: both are Debian packages."""
import shutil

import pytest

from .process import ROOT, wait_until

SCREENSHOTS = ROOT / "build" / "console"
FIRST = """const [css, text] = arguments;
return [...document.querySelectorAll(css)].find((e) => (e.closest("select") ?? e).checkVisibility({visibilityProperty: true}) &&
  (text === null || (e.tagName === "OPTION" ? e.textContent : e.innerText).includes(text))) ?? null;"""


def need_browser():
    """Skips the test, with the reason, where there is no browser."""
    missing = [name for name, there in (("chromium", shutil.which("chromium")), ("chromium-driver", shutil.which("chromedriver"))) if not there]
    try:
        import selenium  # noqa: F401
    except ImportError:
        missing.append("python3-selenium")
    if missing:
        pytest.skip(f"NO BROWSER TESTS: {', '.join(missing)} not installed")


class Browser:
    def __init__(self, directory, width=1280, height=860, dark=False, flags=()):
        """flags: further ones of chromium."""
        need_browser()
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-device-scale-factor=1", "--hide-scrollbars",
                     f"--window-size={max(width, 500)},{height}", f"--user-data-dir={directory}/profile-{width}", "--no-first-run", "--disable-background-networking",
                     *(("--blink-settings=preferredColorScheme=0",) if dark else ()), *flags):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
        self.driver.set_page_load_timeout(60)
        self.resize(width, height)
        if dark:
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})

    def resize(self, width, height=860):
        """The window has a least width; what the page sees has none."""
        self.width = width
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def close(self):
        self.driver.quit()

    def open(self, url):
        self.driver.get(url)

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def all(self, css):
        return self.driver.find_elements("css selector", css)

    def wait(self, css, timeout=30, text=None):
        """The first element that fits, is visible, and contains the text. In one step: a page that draws itself again must not overtake the search."""
        return wait_until(lambda: self.script(FIRST, css, text), timeout, lambda: f"{css} {text or ''} in:\n{self.text()[:3000]}\n{self.errors()}")

    def texts(self, css):
        """Of all elements that fit, in one step: the page may draw them again at any time."""
        return self.script("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)", css)

    def click(self, css, text=None, timeout=30):
        from selenium.common.exceptions import ElementClickInterceptedException, StaleElementReferenceException

        def clicked():
            try:
                self.wait(css, timeout, text).click()
                return True
            except (StaleElementReferenceException, ElementClickInterceptedException):
                return False
        wait_until(clicked, timeout, f"a click on {css}")

    def write(self, css, text):
        element = self.wait(css)
        element.clear()
        element.send_keys(text)

    def set(self, css, value):
        """For inputs whose keys depend on the locale."""
        self.script("const e = document.querySelector(arguments[0]); e.value = arguments[1]; e.dispatchEvent(new Event('input', {bubbles: true})); "
                    "e.dispatchEvent(new Event('change', {bubbles: true}));", css, value)

    def keys(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains
        ActionChains(self.driver).send_keys(*keys).perform()

    def copied(self):
        """The clipboard."""
        self.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
        return self.driver.execute_async_script("const done = arguments[0]; navigator.clipboard.readText().then(done, (e) => done(String(e)));")

    def text(self):
        return self.script("return document.body.innerText")

    def errors(self):
        """What the page has logged; a blocked script or style is there, too. A reply of 401 is how the page learns that nobody has logged in."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE" and "401 (Unauthorized)" not in entry["message"]]

    def shot(self, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(SCREENSHOTS / f"{name}-{self.width}.png"))

    def is_too_wide(self):
        """The page itself scrolls sideways, or is wider than the screen so that a phone shows it smaller."""
        return self.script("const e = document.scrollingElement, m = document.querySelector('main'); "
                           "return [e.scrollWidth - arguments[0], innerWidth - arguments[0], m ? m.scrollWidth - m.clientWidth : 0]", self.width)

    def login(self, console, user):
        from .console import PASSWORDS
        self.login_at(console.url, user, PASSWORDS[user])

    def login_at(self, url, user, password):
        self.open(url)
        self.write("#user", user)
        self.write("#password", password)
        self.click("button", "Log in")
        self.wait("nav.side a")


