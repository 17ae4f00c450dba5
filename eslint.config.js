import js from "@eslint/js";
import prettier from "eslint-config-prettier";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules", "artifacts", "cache", "types", "dist", "coverage", ".daeg"] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": "error",
      eqeqeq: "error",
      "max-lines": ["error", 400],
      // Node strips types: syntax that needs code generation does not run.
      "no-restricted-syntax": [
        "error",
        { selector: "TSEnumDeclaration", message: "use a union of strings" },
        { selector: "TSParameterProperty", message: "declare the field" },
        { selector: "TSModuleDeclaration[declare!=true]", message: "use a module" },
      ],
      "no-console": "off",
    },
  },
  { files: ["**/*.cjs"], languageOptions: { globals: { module: "writable" } } },
  { files: ["test/**/*.ts"], rules: { "@typescript-eslint/no-unused-expressions": "off" } },
  prettier,
);
