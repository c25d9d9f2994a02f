/** Why the program cannot do what it was started for. */
export class StartError extends Error {
  override readonly name = "StartError";
}
