import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const environment = {
  object: 'process',
  property: 'env',
  message: 'Only libs/config reads the environment; take a typed value from #libs/config.',
};

/** Tests and measurements: nothing here is shipped. */
const TESTS = [
  '**/*.spec.ts',
  '**/*.contract.ts',
  '**/src/testing.ts',
  '**/src/testing/**/*.ts',
  'test/**/*.ts',
  'bench/**/*.ts',
  'docs/**/*.ts',
];

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'reports/', 'examples/', '**/.holdfast/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unnecessary-type-arguments': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' },
      ],
      // Ports are implemented by synchronous things too; an async method without await is no defect.
      '@typescript-eslint/require-await': 'off',
      eqeqeq: 'error',
      'no-restricted-properties': ['error', environment],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'process', message: "Write 'node:process'." },
            { name: 'node:process', importNames: ['env'], message: environment.message },
          ],
        },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'No enums: an `as const` object or union.' },
        { selector: 'ExportDefaultDeclaration', message: 'No default exports: name it.' },
      ],
    },
  },
  {
    // Nest injects by the run-time value of an import, so `import type` is not forced on the edges.
    files: ['libs/**/*.ts'],
    rules: { '@typescript-eslint/consistent-type-imports': 'error' },
  },
  {
    // Nest's modules are classes without members.
    files: ['apps/**/*.ts'],
    rules: { '@typescript-eslint/no-extraneous-class': 'off' },
  },
  { files: ['libs/config/**/*.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: TESTS,
    rules: {
      'no-restricted-properties': 'off',
      // A test looks into parsed JSON; what it expects of it is its check.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['*.config.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
