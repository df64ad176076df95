// The service, typed by its own OpenAPI document. A refusal is thrown as a Problem.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Job = Schemas["JobView"];

/** A problem document (RFC 9457), or what stands for one where no answer came. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    title: string,
    readonly pointer: string | null = null,
    readonly errors: { pointer: string; detail: string }[] = [],
    readonly waysOut: unknown[] = [],
  ) {
    super(title);
  }
}

const STORED = "qstill-key"; // for this tab alone: closed, it is forgotten

/** wanted: the service has refused the last request for want of a valid key. */
export const access = $state({ key: sessionStorage.getItem(STORED) ?? "", wanted: false });

export function useKey(key: string): void {
  access.key = key;
  access.wanted = false;
  sessionStorage.setItem(STORED, key);
}

export function headers(): Record<string, string> {
  return access.key ? { Authorization: `Bearer ${access.key}` } : {};
}

export const service = createClient<paths>({ baseUrl: location.origin });
service.use({
  onRequest({ request }) {
    for (const [name, value] of Object.entries(headers())) request.headers.set(name, value);
  },
  onResponse({ response }) {
    if (response.status === 401) access.wanted = true;
  },
});

type Answer<Data> = { data?: Data; error?: unknown; response: Response };

/** The data of an answer; throws Problem. */
export async function must<Data>(asked: Promise<Answer<Data>>): Promise<Data> {
  let answer: Answer<Data>;
  try {
    answer = await asked;
  } catch {
    throw new Problem(0, "unreachable", "The service does not answer.");
  }
  if (!answer.response.ok) throw problemOf(answer.response.status, answer.error);
  return answer.data as Data;
}

/** An answer that the OpenAPI client cannot read: a picture, a text, a circuit's source. Throws Problem. */
export async function fetched(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers: { ...headers(), ...init.headers } });
  } catch {
    throw new Problem(0, "unreachable", "The service does not answer.");
  }
  if (response.status === 401) access.wanted = true;
  if (!response.ok) throw problemOf(response.status, await response.json().catch(() => null));
  return response;
}

/** The answer to a body of JSON, as text where it was written by hand. Throws Problem. */
export function posted(path: string, body: unknown): Promise<Response> {
  return fetched(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

export function problemOf(status: number, body: unknown): Problem {
  const said = (body ?? {}) as Record<string, unknown>;
  return new Problem(
    status,
    String(said["code"] ?? "unknown"),
    String(said["title"] ?? `The service answered ${status}.`),
    (said["pointer"] as string | undefined) ?? null,
    (said["errors"] as { pointer: string; detail: string }[] | undefined) ?? [],
    (said["try"] as unknown[] | undefined) ?? [],
  );
}
