;; Encodes base64 from one place of this module's memory to another, 12 bytes to 16 characters at a time, with the
;; method of W. Muła and D. Lemire: https://arxiv.org/abs/1704.00605. base64-encoder.ts contains the assembled module,
;; and a test compares the two.
(module
  (memory (export "memory") 4)

  ;; Constants, which are loaded into locals once. As v128.const in the loop, V8 would create them for every 12 bytes,
  ;; and encoding would take three times as long.
  (data (i32.const 0)
    "\01\00\02\01\04\03\05\04\07\06\08\07\0a\09\0b\0a"  ;; $spread
    "\3f\00\00\00\3f\00\00\00\3f\00\00\00\3f\00\00\00"  ;; $first
    "\00\00\3f\00\00\00\3f\00\00\00\3f\00\00\00\3f\00"  ;; $third
    "\f0\03\3f\00\f0\03\3f\00\f0\03\3f\00\f0\03\3f\00"  ;; $second-and-fourth
    "\10\00\00\01\10\00\00\01\10\00\00\01\10\00\00\01"  ;; $up
    "\47\fc\fc\fc\fc\fc\fc\fc\fc\fc\fc\ed\f0\41\00\00"  ;; $offsets: a to z, ten digits, +, /, A to Z
    "\33\33\33\33\33\33\33\33\33\33\33\33\33\33\33\33"  ;; $letters: 0 to 51 are letters
    "\1a\1a\1a\1a\1a\1a\1a\1a\1a\1a\1a\1a\1a\1a\1a\1a"  ;; $capitals: 0 to 25 are capitals
    "\0d\0d\0d\0d\0d\0d\0d\0d\0d\0d\0d\0d\0d\0d\0d\0d") ;; $offset-of-capitals

  ;; Encodes the bytes from $from to $end, whose number must be a multiple of 12. Reads up to 4 bytes after $end.
  (func (export "encode") (param $from i32) (param $end i32) (param $to i32)
    (local $bytes v128) (local $sextets v128)
    (local $spread v128) (local $first v128) (local $third v128) (local $second-and-fourth v128) (local $up v128)
    (local $offsets v128) (local $letters v128) (local $capitals v128) (local $offset-of-capitals v128)
    (local.set $spread (v128.load offset=0 (i32.const 0)))
    (local.set $first (v128.load offset=16 (i32.const 0)))
    (local.set $third (v128.load offset=32 (i32.const 0)))
    (local.set $second-and-fourth (v128.load offset=48 (i32.const 0)))
    (local.set $up (v128.load offset=64 (i32.const 0)))
    (local.set $offsets (v128.load offset=80 (i32.const 0)))
    (local.set $letters (v128.load offset=96 (i32.const 0)))
    (local.set $capitals (v128.load offset=112 (i32.const 0)))
    (local.set $offset-of-capitals (v128.load offset=128 (i32.const 0)))
    (block $done
      (loop $more
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))

        ;; Spread each three bytes over a lane of four, so that each of their sextets lies within 16 bits.
        (local.set $bytes (i8x16.swizzle (v128.load (local.get $from)) (local.get $spread)))

        ;; Shift each sextet into its own byte: the first and third down, the others up, with a multiplication.
        (local.set $sextets
          (v128.or
            (v128.or
              (v128.and (i16x8.shr_u (local.get $bytes) (i32.const 10)) (local.get $first))
              (v128.and (i16x8.shr_u (local.get $bytes) (i32.const 6)) (local.get $third)))
            (i16x8.mul (v128.and (local.get $bytes) (local.get $second-and-fourth)) (local.get $up))))

        ;; The character of a sextet is the sextet plus the offset of its kind.
        (v128.store (local.get $to)
          (i8x16.add
            (local.get $sextets)
            (i8x16.swizzle
              (local.get $offsets)
              (v128.or
                (i8x16.sub_sat_u (local.get $sextets) (local.get $letters))
                (v128.and
                  (i8x16.gt_s (local.get $capitals) (local.get $sextets))
                  (local.get $offset-of-capitals))))))

        (local.set $from (i32.add (local.get $from) (i32.const 12)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (br $more)))))
