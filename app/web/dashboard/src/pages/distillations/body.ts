// The curated fields of a distillation: each is a place in its JSON, which stays the whole truth.
export type Body = Record<string, unknown>;

export interface Field {
  pointer: string;
  label: string;
  kind: "number" | "widths" | "choice" | "flag";
  choices?: string[];
  help: string;
  fallback: unknown; // what the service takes where the body is silent
}

export const FIELDS: Field[] = [
  {
    pointer: "/dataset/labelled",
    label: "Labelled rows",
    kind: "number",
    help: "How many training rows keep their label; the rest teach through the teacher alone. Empty: all.",
    fallback: null,
  },
  {
    pointer: "/teacher/architecture/hidden",
    label: "Teacher's widths",
    kind: "widths",
    help: "Units of each hidden layer, as in 256, 256.",
    fallback: [],
  },
  {
    pointer: "/student/architecture/hidden",
    label: "Student's widths",
    kind: "widths",
    help: "As of the teacher.",
    fallback: [],
  },
  {
    pointer: "/objective/kind",
    label: "Objective",
    kind: "choice",
    choices: ["kd", "dkd", "dist", "logit_std", "logit_mse", "hard_label", "reverse_kl", "jsd", "tf_kd"],
    help: "How the student learns from the teacher; kd is Hinton's.",
    fallback: "kd",
  },
  {
    pointer: "/objective/temperature",
    label: "Temperature",
    kind: "number",
    help: "Above 1 the teacher's answers are softened.",
    fallback: 4,
  },
  {
    pointer: "/objective/alpha",
    label: "Weight of the teacher",
    kind: "number",
    help: "α, from 0 (labels alone) to 1 (the teacher alone).",
    fallback: 0.9,
  },
  {
    pointer: "/training/epochs",
    label: "Epochs",
    kind: "number",
    help: "Passes over the training rows.",
    fallback: 30,
  },
  {
    pointer: "/training/learning_rate",
    label: "Learning rate",
    kind: "number",
    help: "Of the optimizer.",
    fallback: 0.001,
  },
  {
    pointer: "/evaluation/seeds",
    label: "Seeds",
    kind: "number",
    help: "How many students; one decides nothing.",
    fallback: 3,
  },
  {
    pointer: "/evaluation/baseline",
    label: "Train the same student without a teacher, too",
    kind: "flag",
    help: "Without it nobody knows whether distillation helped.",
    fallback: true,
  },
];

export const DIGITS: Body = {
  name: "digits: 50 labels and an unlabelled pool",
  dataset: { source: "builtin", name: "digits", labelled: 50 },
  teacher: { source: "train", architecture: { kind: "mlp", hidden: [256, 256] } },
  student: { architecture: { kind: "mlp", hidden: [16] } },
  objective: { kind: "kd", temperature: 2, alpha: 0.9 },
  training: { epochs: 40, batch_size: 64, optimizer: "adam", learning_rate: 0.01, seed: 0 },
  evaluation: { baseline: true, seeds: 3 },
};

/** JSON for people: lists of plain values on one line. */
export function compact(body: unknown): string {
  return JSON.stringify(body, null, 2).replace(/\[\n[^[\]{}]*?\n\s*\]/g, (list) =>
    list.replace(/\n\s*/g, " ").replace(/^\[ | \]$/g, (end) => end.trim()),
  );
}

export function valueAt(body: Body, pointer: string): unknown {
  let found: unknown = body;
  for (const name of pointer.split("/").slice(1)) found = (found as Body | null | undefined)?.[name];
  return found;
}

/** A copy with another value at a place; undefined takes the field away. */
export function withValue(body: Body, pointer: string, value: unknown): Body {
  const copy = structuredClone(body);
  const names = pointer.split("/").slice(1);
  let place = copy;
  for (const name of names.slice(0, -1)) place = (place[name] ??= {}) as Body;
  const last = names.at(-1) ?? "";
  if (value === undefined) delete place[last];
  else place[last] = value;
  return copy;
}

export function written(field: Field, value: unknown): string {
  if (value === undefined || value === null)
    return field.fallback === null ? "" : written({ ...field, fallback: null }, field.fallback);
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** What was typed, for the JSON. What is no number stays a text, so that the service says what is wrong with it. */
export function read(field: Field, text: string): unknown {
  if (text.trim() === "") return undefined;
  if (field.kind === "choice") return text;
  const number = (part: string): unknown => (Number.isNaN(Number(part)) ? part.trim() : Number(part));
  return field.kind === "widths"
    ? text
        .split(/[,\s]+/)
        .filter(Boolean)
        .map(number)
    : number(text);
}
