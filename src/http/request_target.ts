/**
 * What a request asks for.
 *
 * @module
 */

/** As it was sent: nothing in it is decoded or put in order. */
export interface RequestTarget {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Name, address or `[v6]`, and a port; it may be empty. */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~-]+)?(?::\d{0,5})?$/i;

/**
 * Reads the path and the query of a request.
 *
 * The runtime builds the URL of the header `Host` and the path, so that a header
 * with a `/` or a `?` in it would move the path into the query.
 *
 * @returns `undefined` if that header is no host.
 */
export function readRequestTarget(
  { url, headers }: Pick<Request, "url" | "headers">,
): RequestTarget | undefined {
  if (!isHost(headers.get("host") ?? "")) return undefined;
  const [target = ""] = url.replace(/^[a-z]+:\/\/[^/?#]*/i, "").split("#", 1);
  const end = target.indexOf("?");
  const [path, query] = end === -1
    ? [target, ""]
    : [target.slice(0, end), target.slice(end + 1)];
  return { path, query: new URLSearchParams(query) };
}

function isHost(text: string): boolean {
  if (!HOST.test(text)) return false;
  return text === "" || URL.canParse(`http://${text}/`);
}
