// The states of a run as quorate.report.states describes them: the table at one step, with what that step changed.
import type { JSX } from "preact";

type Cell = [row: number, column: number, text: string, full?: string, stressed?: 0 | 1];
export interface States { columns: string[]; rows: string[]; frames: Cell[][] }

const WHOLE = -1;
const NOTHING = /^(0|\u2205|no|\{\}|\[\]|\{([^{}[\]:]+: (0|\u2205|no|\{\}|\[\])(, )?)+\})$/;

interface Shown { text: string; full: string; old: string; changed: boolean; stressed: boolean }

/** Every cell at a step, by `row column`. What stays red is what the verdict rests on and no later step has changed. */
export function cellsAt(states: States, step: number): Map<string, Shown> {
  const cells = new Map<string, Shown>();
  states.frames.slice(0, step + 1).forEach((frame, index) => {
    for (const [row, column, text, full, stressed] of frame) {
      const key = `${row} ${column}`;
      const old = cells.get(key)?.text ?? "";
      const changed = index === step && index > 0;
      cells.set(key, { text, full: full || "", old: changed && old !== text ? old : "", changed, stressed: stressed === 1 });
    }
  });
  return cells;
}

interface Props { states: States; step: number; marked?: ReadonlySet<string> }

/** `marked` are cells to point out, by `row column`. */
export function StateTable({ states, step, marked }: Props): JSX.Element {
  const cells = cellsAt(states, step);
  const columns = Math.max(states.columns.length, 1);
  const cell = (row: number, column: number, span: number): JSX.Element => {
    const shown = cells.get(`${row} ${column}`);
    const names = [
      shown?.changed && "changed", shown && NOTHING.test(shown.text) && "nothing", shown?.stressed && "stressed",
      marked?.has(`${row} ${column}`) && "marked",
    ].filter(Boolean).join(" ");
    return (
      <td key={column} colSpan={span} class={names} title={shown?.full || undefined}>
        {shown?.old && <><span class="old">{shown.old}</span><span class="arrow" aria-label="became"> {"\u2192"} </span></>}
        <span class="value">{shown?.text ?? ""}</span>
      </td>
    );
  };
  return (
    <table class="states">
      <caption class="unseen">The state after step {step}; changed values are marked</caption>
      <thead>
        <tr><th scope="col"><span class="unseen">variable</span></th>{states.columns.map((lane) => <th scope="col" key={lane}>{lane}</th>)}</tr>
      </thead>
      <tbody>
        {states.rows.map((name, row) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            {cells.has(`${row} ${WHOLE}`) ? cell(row, WHOLE, columns) : states.columns.map((_, column) => cell(row, column, 1))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
