/* Says which language the page is in, copies its address, closes the pages' sheet on a phone, and puts Streamlit's own
   words into the language: tooltips of its toolbars and names that only screen readers say. `pairs` are [Chinese, English]; English is word for word what Streamlit says. So are
   `phrases`, where {} stands for what Streamlit names. */
(function (language, pairs, phrases) {
  const FRAME = "[data-testid=stTooltipContent], [data-testid=stTooltipErrorContent], [data-testid=stFileChip] [role=alert], [data-testid=stSkipToContent], [data-testid=stElementToolbar], [data-testid=stDialog], [data-testid=InputInstructions], [data-testid^=stDataFrame][data-testid$=Menu]";
  const words = new Map(pairs.flatMap(([zh, en]) => (language === "en" ? [[zh, en]] : [[en, zh]])));
  const forms = phrases.map(([zh, en]) => [zh, en.split("{}")]);
  function phrase(text) {
    const form = language !== "en" && forms.find(([, [head, tail]]) => text.startsWith(head) && text.endsWith(tail));
    return form && form[0].replace("{}", () => text.slice(form[1][0].length, text.length - form[1][1].length));
  }
  function told(text) {
    const said = phrase(text);
    if (said) return said;
    const [head, ...rest] = text.split(": "); // a toolbar's button: what it does, of what
    return words.has(head) ? [words.get(head), ...rest].join(": ") : text;
  }
  function label(node) {
    const old = node.getAttribute("aria-label"), now = told(old || "");
    if (old && now !== old) node.setAttribute("aria-label", now);
  }
  function texts(frame) {
    const walk = document.createTreeWalker(frame, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const old = walk.currentNode.nodeValue, now = told(old);
      if (now !== old) walk.currentNode.nodeValue = now;
    }
  }
  function look(node) {
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    [node, ...node.querySelectorAll("[aria-label]")].forEach(label);
    node.querySelectorAll(".gc-link").forEach((link) => (link.value = address()));
    const frame = node.closest(FRAME);
    (frame ? [frame] : node.querySelectorAll(FRAME)).forEach(texts);
  }
  function address() {
    const here = new URL(location.href);
    if (document.documentElement.lang === "en") here.searchParams.set("language", "en");
    return here.href;
  }
  function copy(button) {
    const link = button.parentElement.querySelector(".gc-link"), words = button.textContent;
    const done = () => { button.textContent = button.dataset.done; setTimeout(() => (button.textContent = words), 2000); };
    link.value = address();
    link.select();
    if (navigator.clipboard) navigator.clipboard.writeText(link.value).then(done, () => {});
    else if (document.execCommand("copy")) done(); // over plain http there is no other way
  }
  function closeSheet() {
    const button = document.querySelector("[data-testid=stSidebar][data-collapsed=false] [data-testid=stSidebarCollapseButton] button");
    if (button && innerWidth < 768) button.click();
  }
  function clicked(event) {
    const button = event.target.closest(".gc-copy");
    if (button) copy(button);
    if (event.target.closest("[data-testid=stSidebarNavLink], [data-testid=stMain]")) setTimeout(closeSheet);
  }
  document.documentElement.lang = language === "en" ? "en" : "zh-CN";
  window.gcWords?.disconnect();
  window.gcWords = new MutationObserver((changes) => changes.forEach((one) => (one.type === "attributes" ? label(one.target) : one.addedNodes.forEach(look))));
  window.gcWords.observe(document.body, { subtree: true, childList: true, attributeFilter: ["aria-label"] });
  look(document.body);
  window.gcClicks?.abort();
  window.gcClicks = new AbortController();
  document.addEventListener("click", clicked, { signal: window.gcClicks.signal });
  document.addEventListener("keydown", (event) => event.key === "Escape" && closeSheet(), { signal: window.gcClicks.signal });
})
