// A quiz for class: the properties are hidden, and the reader says when the run breaks one, or breaks it.
import type { JSX } from "preact";
import type { Look } from "./ask";

export interface Quiz { kind: "spot" | "break"; from: number; said: string; done: boolean }

/** The first step after which something is false; -1 if nothing is. */
export function firstFalse(look: Look): number {
  return look.judged.findIndex((one) => one.false.length > 0);
}

/** What is said of the claim that the run is broken after a step, and whether that ends the quiz. */
export function claimed(look: Look, at: number): { said: string; done: boolean } {
  const first = firstFalse(look);
  if (at < first) return { said: `Not yet: nothing is false after step ${at}.`, done: false };
  const names = look.judged[first]?.false.join(", ");
  return at === first
    ? { said: `Right: from step ${first} on, ${names} is false.`, done: true }
    : { said: `It was too late before: ${names} is false from step ${first} on.`, done: true };
}

/** What is said of a step that was meant to break something. */
export function tried(look: Look, at: number): { said: string; done: boolean } {
  const names = look.judged[at]?.false ?? [];
  return names.length > 0
    ? { said: `Right: that breaks ${names.join(", ")}.`, done: true }
    : { said: "Nothing is violated after this step. Undo it and try another.", done: false };
}

interface Props { quiz: Quiz; claim: () => void; end: () => void }

export function QuizView({ quiz, claim, end }: Props): JSX.Element {
  return (
    <section class="quiz" aria-labelledby="quiz">
      <h2 id="quiz">{quiz.kind === "spot" ? "When is it broken?" : "Break it"}</h2>
      <p>
        {quiz.kind === "spot"
          ? "One of the steps of this run makes a property false. Step through it, and say when."
          : "One step more violates a property. Choose it among what can happen."}
      </p>
      <p role="status"><strong>{quiz.said}</strong></p>
      {quiz.kind === "spot" && !quiz.done && <button type="button" onClick={claim}>It is broken now <kbd aria-hidden="true">X</kbd></button>}{" "}
      <button type="button" onClick={end}>End the quiz</button>
    </section>
  );
}
