// Runs before the page is shown: a list that somebody comes back to appears once it is where they left it, and not at its
// start first. See `place.js`.

{
  const isOfAsset = document.referrer.startsWith(`${location.origin}${location.pathname}/`);
  const place = history.state?.place ? `place ${history.state.place}` : "";
  const name = place || (isOfAsset && sessionStorage.getItem(`last ${location.pathname}${location.search}`));
  if (name && sessionStorage.getItem(name)) {
    document.documentElement.classList.add("coming-back");
    // Whatever fails meanwhile, the list is shown.
    addEventListener("load", () => document.documentElement.classList.remove("coming-back"));
  }
}
