// Links of the page: "#cite-0-1" asks the server for an article, "#close" and "#copy-0" stay here.
// The link is written into a hidden box of the page; the server answers with the article's HTML.
(() => {
  "use strict";
  let count = 0;
  let opener = null;
  let opened = null;
  let pending = false;

  const spoken = document.createElement("div");
  spoken.id = "spoken";
  spoken.setAttribute("role", "status");

  function open(anchor, link) {
    const box = document.querySelector("#link textarea, #link input");
    if (!box) return;
    opener = anchor;
    opened = `#${link}`;
    mark();
    pending = true;
    count += 1; // the box must change, also when the same link is followed twice
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value").set.call(box, `${link}~${count}`);
    box.dispatchEvent(new Event("input", { bubbles: true }));
    document.body.classList.add("reading");
  }

  // The number and the source that are open at the right. Again after each change: Gradio reuses elements.
  function mark() {
    document.querySelectorAll("#chat a").forEach((anchor) => {
      anchor.classList.toggle("open", anchor.getAttribute("href") === opened);
    });
  }

  function close() {
    if (!document.body.classList.contains("reading")) return;
    document.body.classList.remove("reading");
    opener?.focus({ preventScroll: true });
  }

  async function copy(anchor) {
    const text = anchor.parentElement.querySelector(".plain").textContent;
    try {
      await navigator.clipboard.writeText(text);
      anchor.textContent = "Copied";
    } catch {
      anchor.textContent = "The browser refused to copy";
    }
    spoken.textContent = anchor.textContent;
    setTimeout(() => (anchor.textContent = "Copy with sources"), 2000);
  }

  // A new article: its sentence into view, and said to those who do not see it.
  function show(article) {
    const cited = article.querySelector("#cited");
    if (cited) cited.scrollIntoView({ block: "center" });
    else article.scrollTop = 0;
    const heading = article.querySelector("h2");
    spoken.textContent = heading ? `Opened beside the conversation: ${heading.textContent}` : "";
    if (getComputedStyle(article.parentElement).position === "fixed") article.querySelector(".close")?.focus({ preventScroll: true });
  }

  document.addEventListener("click", (event) => {
    const anchor = event.target.closest?.('a[href^="#"]');
    if (!anchor) return;
    event.preventDefault();
    const link = anchor.getAttribute("href").slice(1);
    if (link === "close") close();
    else if (link.startsWith("copy-")) copy(anchor);
    else open(anchor, link);
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && close());

  // Gradio builds the page after this script runs, and replaces parts of it later.
  let drawn = null;
  let asked = 0;
  new MutationObserver(() => {
    if (!spoken.isConnected) document.body.append(spoken);
    // Gradio names each message by its HTML source, which a screen reader would read out.
    document.querySelectorAll("#chat [data-testid][aria-label*='<']").forEach((row) => row.removeAttribute("aria-label"));
    mark();
    const questions = document.querySelectorAll("#chat .question");
    if (questions.length > asked) questions[questions.length - 1].scrollIntoView({ block: "start" });
    asked = questions.length;
    const article = document.querySelector("#article");
    if (!article) return;
    article.tabIndex = 0;
    article.setAttribute("role", "region");
    article.setAttribute("aria-label", "Article");
    const now = article.querySelector(".article");
    if (now && now !== drawn && pending) {
      pending = false;
      show(article);
    }
    drawn = now;
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
