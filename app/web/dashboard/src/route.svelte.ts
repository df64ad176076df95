// Where the reader is. Filters and columns live in the address, so that a page can be passed on.
export const route = $state({ path: location.pathname, query: new URLSearchParams(location.search) });

function read(): void {
  route.path = location.pathname;
  route.query = new URLSearchParams(location.search);
}

export function go(address: string, { replace = false } = {}): void {
  history[replace ? "replaceState" : "pushState"](null, "", address);
  read();
  if (!replace) window.scrollTo(0, 0);
}

/** The present page with other parameters; an empty value drops one. */
export function withQuery(changes: Record<string, string | string[]>): string {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    for (const each of [value].flat()) if (each !== "") query.append(name, each);
  }
  const text = query.toString();
  return location.pathname + (text ? `?${text}` : "");
}

const ELSEWHERE = /^\/(docs|v1|v0\.4|openapi\.json|assets|dashboard|metrics)(\/|$)/;

/** A click on a link to another page of the dashboard loads nothing anew. */
function clicked(event: MouseEvent): void {
  const link = (event.target as Element).closest?.("a");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (link.origin !== location.origin || link.target || link.hasAttribute("download")) return;
  if (ELSEWHERE.test(link.pathname) || (link.hash && link.pathname === location.pathname)) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

window.addEventListener("popstate", read);
document.addEventListener("click", clicked);
