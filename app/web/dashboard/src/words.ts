// Figures for people. What is unknown is "–".
export const UNKNOWN = "–";

export function share(value: number | null | undefined, digits = 1): string {
  return value == null ? UNKNOWN : `${(value * 100).toFixed(digits)} %`;
}

export function figure(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5
    ? String(Number(value.toPrecision(4)))
    : value.toExponential(2);
}

export function seconds(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  if (value < 1) return `${Number((value * 1000).toPrecision(2))} ms`;
  if (value < 60) return `${value.toFixed(1)} s`;
  if (value < 3600) return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
  if (value < 86400) return `${Math.floor(value / 3600)} h ${Math.floor((value % 3600) / 60)} min`;
  return `${Math.floor(value / 86400)} days`;
}

export function age(moment: string | number, now: number): string {
  const past = Math.max(0, (now - new Date(moment).getTime()) / 1000);
  if (past < 60) return `${Math.floor(past)} s ago`;
  if (past < 3600) return `${Math.floor(past / 60)} min ago`;
  if (past < 86400) return `${Math.floor(past / 3600)} h ago`;
  return new Date(moment).toISOString().slice(0, 10);
}

export function bytes(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit ? Number(value.toPrecision(3)) : value} ${units[unit]}`;
}
