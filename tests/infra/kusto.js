// Asks Microsoft's Kusto language service about queries, given as [name, text] pairs on standard input, over the tables
// of tables.json. Prints one line for each fault; `make infra-lint` installs the service under build/.
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const service = path.join(process.argv[2], "node_modules", "@kusto", "language-service-next");
for (const part of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  vm.runInThisContext(fs.readFileSync(path.join(service, part), "utf8"), { filename: part });
}
const { Symbols, GlobalState, KustoCode } = { ...Kusto.Language, Symbols: Kusto.Language.Symbols };
const { ScalarTypes, ColumnSymbol, TableSymbol, DatabaseSymbol } = Symbols;
const types = {
  string: ScalarTypes.String,
  datetime: ScalarTypes.DateTime,
  real: ScalarTypes.Real,
  int: ScalarTypes.Int,
  bool: ScalarTypes.Bool,
  dynamic: ScalarTypes.Dynamic,
};
const declared = JSON.parse(fs.readFileSync(path.join(__dirname, "tables.json"), "utf8"));
const tables = Object.entries(declared).map(([table, columns]) => {
  const made = Object.entries(columns).map(([column, type]) => new ColumnSymbol(column, types[type]));
  return TableSymbol.$ctor4 ? new TableSymbol.$ctor4(table, made) : new TableSymbol.ctor(table, made);
});
const globals = GlobalState.Default.WithDatabase(new DatabaseSymbol.ctor("workspace", tables));
for (const [name, query] of JSON.parse(fs.readFileSync(0, "utf8"))) {
  const found = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
  for (let i = 0; i < found.Count; i++) {
    const each = found.getItem(i);
    if (each.Severity !== "Suggestion") console.log(`${name}: ${each.Severity} ${each.Code}: ${each.Message}`);
  }
}
