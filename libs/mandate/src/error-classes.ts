/** Classes of errors that JavaScript and Python have of themselves: all that an agent is ever told by name. */
const KNOWN: ReadonlySet<string> = new Set([
  ...['Error', 'TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'URIError', 'EvalError'],
  ...['AggregateError', 'AssertionError', 'SystemError', 'Exception', 'ValueError', 'KeyError'],
  ...['IndexError', 'LookupError', 'NameError', 'AttributeError', 'ImportError', 'OSError'],
  ...['ModuleNotFoundError', 'ZeroDivisionError', 'ArithmeticError', 'OverflowError'],
  ...['FloatingPointError', 'MemoryError', 'RecursionError', 'RuntimeError', 'TimeoutError'],
  ...['NotImplementedError', 'FileNotFoundError', 'PermissionError', 'IndentationError'],
  ...['TabError', 'UnicodeError', 'UnicodeDecodeError', 'UnicodeEncodeError', 'JSONDecodeError'],
]);

/**
 * The class of an error as an agent may be told it. A program chooses its errors' names, so a name could carry a message
 * from what the program has seen to the agent that wrote it: only the languages' own names pass, any other is `Error`.
 */
export const knownErrorClass = (name: string): string => (KNOWN.has(name) ? name : 'Error');
