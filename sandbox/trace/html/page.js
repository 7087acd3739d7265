// Without this script the page shows every step, one below the other. With it,
// one at a time: by the arrow keys, the buttons, or the list of steps.
(() => {
  "use strict";
  const root = document.documentElement;
  const frames = [...document.querySelectorAll(".frame")];
  const [bar, status, previous, next, all] =
    [".bar", "#status", "#previous", "#next", "#all"].map((s) => document.querySelector(s));
  const toc = document.querySelector(".toc");
  let at = 0;

  // stageOf is the part of the list that folds; the whole list is the reader's to fold.
  const stageOf = (a) => a.closest(".toc details") || {};
  const heading = (frame) => frame.querySelector("h3");

  // show makes frame i the one looked at.
  const show = (i) => {
    at = Math.max(0, Math.min(i, frames.length - 1));
    for (const [n, f] of frames.entries()) f.classList.toggle("here", n === at);
    for (const c of document.querySelectorAll(".chapter")) c.classList.toggle("here", c.contains(frames[at]));
    for (const d of toc.querySelectorAll("details")) d.open = false;
    for (const a of toc.querySelectorAll("a")) {
      if (a.hash === "#" + frames[at].id) {
        a.setAttribute("aria-current", "step");
        stageOf(a).open = true;
        toc.scrollTop = a.offsetTop - toc.clientHeight / 2;
      } else {
        a.removeAttribute("aria-current");
      }
    }
    previous.disabled = at === 0;
    next.disabled = at === frames.length - 1;
    const says = frames[at].dataset.says;
    status.textContent = `${at + 1} of ${frames.length}: ${heading(frames[at]).textContent.trim()}` + (says ? "; " + says : "");
  };

  // go shows frame i because the reader wants it.
  const go = (i, focus) => {
    show(i);
    history.replaceState(null, "", "#" + frames[at].id);
    if (focus) heading(frames[at]).focus({ preventScroll: true });
    reveal();
  };

  // reveal scrolls to the top of the frame, or of its stage where that is all
  // there is to be seen; not if that is in view already.
  const reveal = () => {
    const top = root.classList.contains("stepping") ? frames[at].closest(".chapter") : frames[at];
    const y = top.getBoundingClientRect().top;
    if (y < 0 || y > innerHeight / 2) top.scrollIntoView();
  };

  // linked is the frame that the address names, or that holds what it names.
  const linked = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    return target ? frames.findIndex((f) => f === target || f.contains(target) || target.parentElement.nextElementSibling === f) : -1;
  };

  previous.addEventListener("click", () => go(at - 1, false));
  next.addEventListener("click", () => go(at + 1, false));
  all.addEventListener("click", () => {
    const stepping = root.classList.toggle("stepping");
    all.setAttribute("aria-pressed", String(!stepping));
    reveal();
  });
  document.addEventListener("keydown", (e) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (!step || e.altKey || e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    go(at + step, true);
  });
  addEventListener("hashchange", () => {
    const i = linked();
    if (i >= 0) go(i, true);
  });

  root.classList.add("stepping");
  bar.hidden = false;
  if (matchMedia("(max-width: 62rem)").matches) toc.open = false;
  show(Math.max(0, linked()));
  addEventListener("load", reveal); // after the browser has gone to what the address names
})();
