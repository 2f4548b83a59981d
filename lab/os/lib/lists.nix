# Lists.
lib: {
  inherit (builtins)
    all
    any
    concatLists
    concatMap
    elem
    elemAt
    filter
    foldl'
    genList
    head
    length
    map
    partition
    sort
    tail
    groupBy
    ;

  singleton = x: [ x ];
  optional = condition: x: if condition then [ x ] else [ ];
  optionals = condition: xs: if condition then xs else [ ];
  toList = x: if builtins.isList x then x else [ x ];
  flatten = x: if builtins.isList x then builtins.concatMap lib.flatten x else [ x ];
  last = xs: builtins.elemAt xs (builtins.length xs - 1);
  init = xs: lib.take (builtins.length xs - 1) xs;
  take = n: lib.sublist 0 n;
  drop = n: xs: lib.sublist n (builtins.length xs) xs;
  sublist =
    start: count: xs:
    let
      available = builtins.length xs - start;
      size = lib.max 0 (lib.min count available);
    in
    builtins.genList (i: builtins.elemAt xs (start + i)) size;
  range = first: last: if first > last then [ ] else builtins.genList (i: first + i) (last - first + 1);
  reverseList =
    xs:
    let
      n = builtins.length xs;
    in
    builtins.genList (i: builtins.elemAt xs (n - i - 1)) n;
  imap0 = f: xs: builtins.genList (i: f i (builtins.elemAt xs i)) (builtins.length xs);
  imap1 = f: lib.imap0 (i: f (i + 1));
  foldr =
    f: nul: xs:
    builtins.foldl' (acc: x: f x acc) nul (lib.reverseList xs);
  foldl = builtins.foldl';
  fold = lib.foldr;
  count = predicate: xs: builtins.length (builtins.filter predicate xs);
  remove = x: builtins.filter (y: y != x);
  subtractLists = gone: builtins.filter (x: !(builtins.elem x gone));
  intersectLists = wanted: builtins.filter (x: builtins.elem x wanted);
  unique = builtins.foldl' (acc: x: if builtins.elem x acc then acc else acc ++ [ x ]) [ ];
  findFirst =
    predicate: default: xs:
    let
      hits = builtins.filter predicate xs;
    in
    if hits == [ ] then default else builtins.head hits;
  forEach = xs: f: map f xs;
  zipListsWith =
    f: a: b:
    builtins.genList (i: f (builtins.elemAt a i) (builtins.elemAt b i)) (
      lib.min (builtins.length a) (builtins.length b)
    );
  sortOn = f: builtins.sort (a: b: f a < f b);
  naturalSort = builtins.sort builtins.lessThan;
}
