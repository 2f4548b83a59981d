# Assertions and warnings of a whole configuration.
lib: {
  asserts = {
    assertMsg = condition: message: if condition then true else throw message;
    checkAssertWarn =
      assertions: warnings: value:
      let
        failed = map (a: a.message) (builtins.filter (a: !a.assertion) assertions);
        warned = builtins.foldl' (acc: message: lib.warn message acc) value warnings;
      in
      if failed == [ ] then
        warned
      else
        throw "\nFailed assertions:\n${lib.concatMapStringsSep "\n" (message: "- ${message}") failed}";
  };
  inherit (lib.asserts) assertMsg;
}
