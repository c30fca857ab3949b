import { UserError, UserErrors } from '../../src/base/errors.ts';
import { parseScenario, type Scenario, type ScenarioOverrides } from '../../src/scenario/index.ts';

/**
 * The messages of all mistakes in `text`, without the name of the file; an empty list when there are none.
 */
export function errorsOf(text: string, overrides: ScenarioOverrides = {}): string[] {
  try {
    parseScenario(text, 'scenario.yaml', overrides);
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const errors = error instanceof UserErrors ? error.errors : [error];
    return errors.map(({ message }) => message.replace(/^scenario\.yaml:/, ''));
  }
}

/** The scenario of `text`; a text with a mistake fails the test with its messages. */
export function parse(text: string, overrides: ScenarioOverrides = {}): Scenario {
  return parseScenario(text, 'scenario.yaml', overrides);
}
