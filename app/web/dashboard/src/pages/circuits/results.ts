// A circuit job's results.json, as the contract has it; the OpenAPI document does not describe this body.
import { fetched } from "../../api/service.svelte";

export interface Expectation {
  name: string | null;
  value: number;
  standard_error: number;
  shot_noise: number | null;
}

export interface CircuitResults {
  shots: number;
  method: string;
  counts: Record<string, number>;
  binding?: Record<string, number>;
  expectations?: Expectation[];
}

interface Observable {
  name?: string | null;
  terms?: { paulis: string; coefficient: number }[];
}

/** What each observable of a job is called: by its name, else by what it is. */
export async function observableNames(id: string): Promise<string[]> {
  const asked = (await (await fetched(`/v1/jobs/${id}/request`)).json()) as { observables?: Observable[] };
  return (asked.observables ?? []).map(({ name, terms = [] }, number) => {
    const [first] = terms;
    if (name) return name;
    if (!first) return `observable ${number}`;
    const weight = first.coefficient === 1 ? "" : `${Number(first.coefficient.toPrecision(4))} `;
    return `⟨${weight}${first.paulis}${terms.length > 1 ? ` + ${terms.length - 1} more` : ""}⟩`;
  });
}

export async function circuitResults(id: string): Promise<CircuitResults[]> {
  const response = await fetched(`/v1/circuits/${id}/results`);
  return ((await response.json()) as { circuits: CircuitResults[] }).circuits;
}
