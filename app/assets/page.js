/* Says which language the page is in, and puts Streamlit's own words into it: tooltips of its toolbars and names that
   only screen readers say. `pairs` are [Chinese, English]; English is word for word what Streamlit says. So are
   `phrases`, where {} stands for what Streamlit names. */
(function (language, pairs, phrases) {
  const FRAME = "[data-testid=stTooltipContent], [data-testid=stTooltipErrorContent], [data-testid=stFileChip] [role=alert], [data-testid=stSkipToContent], [data-testid=stElementToolbar], [data-testid=InputInstructions], [data-testid^=stDataFrame][data-testid$=Menu]";
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
    const frame = node.closest(FRAME);
    (frame ? [frame] : node.querySelectorAll(FRAME)).forEach(texts);
  }
  document.documentElement.lang = language === "en" ? "en" : "zh-CN";
  window.gcWords?.disconnect();
  window.gcWords = new MutationObserver((changes) => changes.forEach((one) => (one.type === "attributes" ? label(one.target) : one.addedNodes.forEach(look))));
  window.gcWords.observe(document.body, { subtree: true, childList: true, attributeFilter: ["aria-label"] });
  look(document.body);
})
