// The body of POST /v1/circuits, put together from the form and taken apart again.
export interface Form {
  source: string;
  shots: number;
  seed: number;
  noise: number; // of two qubits, depolarizing; a tenth of it for one
  name: string;
}

export const BELL = `OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
h q[0];
cx q[0], q[1];
c = measure q;
`;

/** Where the text is JSON it is the circuit itself. Throws SyntaxError. */
export function circuitOf(source: string): Record<string, unknown> {
  const text = source.trim();
  if (text.startsWith("{")) return JSON.parse(text) as Record<string, unknown>;
  return { format: /OPENQASM\s+2/.test(text) ? "openqasm2" : "openqasm3", source };
}

/** rest: what a body had that the form has no field for; it is kept. */
export function bodyOf(form: Form, rest: Record<string, unknown>): Record<string, unknown> {
  const noise =
    form.noise > 0
      ? { noise: { model: "depolarizing", one_qubit: form.noise / 10, two_qubit: form.noise }, ideal: true }
      : {};
  const name = form.name.trim() ? { name: form.name.trim() } : {};
  return { ...name, ...rest, circuit: circuitOf(form.source), shots: form.shots, seed: form.seed, ...noise };
}

/** Which line a problem's title speaks of: "Line 4, column 1: …". */
export function lineOf(title: string): number | null {
  const found = /^Line (\d+)/.exec(title);
  return found ? Number(found[1]) : null;
}

/** The form for a body that was submitted before, and what the form does not show. */
export function formOf(body: Record<string, unknown>): { form: Form; rest: Record<string, unknown> } {
  const { circuit, shots, seed, noise, name, ...rest } = body;
  const given = (circuit ?? {}) as Record<string, unknown>;
  const source = typeof given["source"] === "string" ? given["source"] : JSON.stringify(given, null, 2);
  const model = noise as { model?: string; two_qubit?: number } | null | undefined;
  const simple = model?.model === "depolarizing" && typeof model.two_qubit === "number";
  return {
    form: {
      source,
      shots: typeof shots === "number" ? shots : 1000,
      seed: typeof seed === "number" ? seed : 1,
      noise: simple ? (model.two_qubit ?? 0) : 0,
      name: typeof name === "string" ? name : "",
    },
    rest: simple || !noise ? rest : { ...rest, noise },
  };
}
