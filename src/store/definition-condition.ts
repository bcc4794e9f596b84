/**
 * What has to be there for a definition to be put, or for a subscription to be removed with it (RFC 9110, section 13.1.1 and 13.1.2): both parts have to hold, and one that is left out
 * does.
 */
export interface DefinitionCondition {
  /** A definition of one of these versions; `*`: any definition. */
  readonly match?: readonly string[] | '*' | undefined;
  /** None of these versions; `*`: no definition at all. */
  readonly noneMatch?: readonly string[] | '*' | undefined;
}

/** @param version of the definition that is there; undefined when there is none */
export function holds({ match, noneMatch }: DefinitionCondition, version: string | undefined): boolean {
  return (match === undefined || isAmong(match, version)) && !isAmong(noneMatch ?? [], version);
}

function isAmong(versions: readonly string[] | '*', version: string | undefined): boolean {
  return version !== undefined && (versions === '*' || versions.includes(version));
}
