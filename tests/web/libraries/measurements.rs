//! What a long list costs the browser: scripts that a test runs in its page.

/// Collects what the page does from now on: its longest task, its requests for parts of the list.
pub const MEASURE: &str = "(() => {
    window.longest = 0;
    window.tasks = [];
    new PerformanceObserver((list) => {
      for (const task of list.getEntries()) {
        window.longest = Math.max(window.longest, task.duration);
        window.tasks.push(Math.round(task.duration));
      }
    }).observe({ type: 'longtask' });
    window.asked = 0;
    const before = window.fetch;
    window.fetch = (...args) => {
      if (String(args[0]).includes('start=')) window.asked += 1;
      return before(...args);
    };
  })()";
/// How many nodes the page has.
pub const NODES: &str = "(() => {
    const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
    let count = 1;
    while (walker.nextNode()) count += 1;
    return count;
  })()";
/// Scrolls to the end of the page in steps of a screen, a frame each, and returns the most nodes that were there.
pub const SCROLL: &str = "(async () => {
    const frame = () => new Promise((next) => requestAnimationFrame(next));
    const nodes = () => { const all = document.createTreeWalker(document, NodeFilter.SHOW_ALL); let count = 1; while (all.nextNode()) count += 1; return count; };
    let most = 0;
    const bottom = () => document.documentElement.scrollHeight - innerHeight;
    const steps = 120;
    for (let step = 1; step <= steps; step += 1) {
      scrollTo(0, (bottom() * step) / steps);
      await frame();
      if (step % 10 === 0) most = Math.max(most, nodes());
    }
    return most;
  })()";
/// Whether every tile near the screen is there, wherever the page was just scrolled to.
pub const ALL_THERE: &str = "(() => {
    const tiles = [...document.querySelectorAll('#grid .tile:not(.tile-pinned)')];
    if (!tiles.length || tiles.some((tile) => tile.classList.contains('tile-waiting'))) return false;
    const [first, last] = [tiles[0], tiles.at(-1)];
    const end = Number(document.getElementById('grid').dataset.total) - 1;
    return (first.dataset.index === '0' || first.getBoundingClientRect().top <= 0) &&
      (Number(last.dataset.index) === end || last.getBoundingClientRect().bottom >= innerHeight);
  })()";
