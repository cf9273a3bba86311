# SPDX-License-Identifier: Apache-2.0
# vsphere.table -> the constant data that schema.h declares. Inherited fields are copied into each class, names
# are shared and sorted bytewise (run with LC_ALL=C) for binary search, classes are found by hash.

function fail(text) {
	print "compile.awk: " FILENAME ":" FNR ": " text >"/dev/stderr"
	failed = 1
	exit 1
}

function heapsort(a, n,    i, t) {
	for (i = int(n / 2); i >= 1; i--)
		sift(a, i, n)
	for (i = n; i > 1; i--) {
		t = a[1]; a[1] = a[i]; a[i] = t
		sift(a, 1, i - 1)
	}
}

function sift(a, i, n,    k, t) {
	while ((k = 2 * i) <= n) {
		if (k < n && a[k + 1] > a[k])
			k++
		if (a[i] >= a[k])
			return
		t = a[i]; a[i] = a[k]; a[k] = t
		i = k
	}
}

# A string of any length, as an initializer that ISO C allows.
function add_text(text,    i, c) {
	printf "\t"
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		printf "'%s',", c == "\n" ? "\\0" : c
	}
	print ""
}

BEGIN {
	n = split("bool int8=int int16=int int32=int int64=int uint8=int uint16=int uint32=int uint64=int " \
		"float32 float64 string enum=string time bytes moref object any", words, " ")
	for (i = 1; i <= n; i++) {
		split(words[i] "=" words[i], pair, "=")
		kind_of[pair[1]] = "SCHEMA_" toupper(pair[2])
	}
}

/^#/ { next }

/^(class|enum) / {
	class = $2
	if (n_classes && class <= class_name[n_classes])
		fail("classes are not sorted")
	class_name[++n_classes] = class
	class_index[class] = n_classes - 1
	base[class] = $1 == "class" && $3 != "-" ? $3 : ""
	class_kind[class] = $1 == "enum" ? "SCHEMA_STRING" : class == "ManagedObjectReference" ? "SCHEMA_MOREF" : "SCHEMA_OBJECT"
	next
}

{
	if (!($2 in kind_of))
		fail("unknown kind " $2)
	own[class]++
	f = class SUBSEP own[class]
	name[f] = toupper(substr($1, 1, 1)) substr($1, 2)
	if (!(name[f] in seen)) {
		seen[name[f]] = 1
		names[++n_names] = name[f]
	}
	kind[f] = kind_of[$2]
	type[f] = $2 == "object" ? $3 : ""
	flags[f] = "0"
	nullable = $2 == "any" || $2 == "bytes"
	for (i = 3; i <= NF; i++) {
		if ($i == "array")
			flags[f] = flags[f] "|SCHEMA_ARRAY"
		if ($i == "array" || $i == "pointer" || $i == "polymorphic")
			nullable = 1
		if ($i == "new")
			flags[f] = flags[f] "|SCHEMA_NEW"
	}
	if (nullable)
		flags[f] = flags[f] "|SCHEMA_NULLABLE"
}

# Writes the fields of a class, the inherited ones first, and counts them.
function add_fields(c,    i, f, n) {
	n = base[c] == "" ? 0 : add_fields(base[c])
	for (i = 1; i <= own[c]; i++) {
		f = c SUBSEP i
		if ((class, name[f]) in has)
			fail(class " has " name[f] " twice")
		has[class, name[f]] = 1
		if (type[f] != "" && !(type[f] in class_index))
			fail(c "." name[f] " is of an unknown class")
		printf "\t{ %d, %s, %s, %s },\n", name_index[name[f]],
			type[f] == "" ? "SCHEMA_NONE" : class_index[type[f]], kind[f], flags[f]
	}
	return n + own[c]
}

# The classes by hash, with linear probing: types.c computes the same.
function add_slots(    i, k, h, slot) {
	for (i = 0; i < 256; i++)
		code[sprintf("%c", i)] = i
	for (i = 1; i <= n_classes; i++) {
		h = 5381
		for (k = 1; k <= length(class_name[i]); k++)
			h = (h * 33 + code[substr(class_name[i], k, 1)]) % 4294967296
		for (h = h % 4096; h in slot; h = (h + 1) % 4096)
			;
		slot[h] = i - 1
	}
	print "const uint16_t schema_slots[SCHEMA_SLOTS] = {"
	for (i = 0; i < 4096; i++)
		printf "%s,%s", i in slot ? slot[i] : "SCHEMA_NONE", i % 16 == 15 ? "\n" : ""
	print "};\n"
}

END {
	if (failed)
		exit 1
	heapsort(names, n_names)
	print "/* Made from schemas/vsphere.table by schemas/compile.awk. */\n#include \"schema.h\"\n"
	print "const char schema_member_text[] = {"
	for (i = 1; i <= n_names; i++) {
		name_index[names[i]] = i - 1
		at[i] = offset
		offset += length(names[i]) + 4
		add_text(",\"" names[i] "\":")
	}
	print "\t[" offset + 63 "] = 0, /* SCHEMA_MEMBER_PAD */\n};\n\nconst struct schema_name schema_names[] = {"
	for (i = 1; i <= n_names; i++)
		printf "\t{ %d, %d },\n", at[i], length(names[i]) + 4
	print "};\n\nconst struct schema_field schema_fields[] = {"
	for (i = 1; i <= n_classes; i++) {
		class = class_name[i]
		first[class] = total
		total += count[class] = add_fields(class)
	}
	print "};\n\nconst char schema_class_text[] = {"
	offset = 0
	for (i = 1; i <= n_classes; i++) {
		at[i] = offset
		offset += length(class_name[i]) + 1
		add_text(class_name[i] "\n")
	}
	if (offset > 65535 || total > 65535)
		fail("too large for 16 bits")
	print "};\n\nconst struct schema_class schema_classes[] = {"
	for (i = 1; i <= n_classes; i++) {
		class = class_name[i]
		printf "\t{ %d, %s, %d, %d, %s }, /* %s */\n", at[i], base[class] == "" ? "SCHEMA_NONE" : class_index[base[class]],
			first[class], count[class], class_kind[class], class
	}
	print "};\n"
	add_slots()
	print "const size_t schema_n_names = " n_names ";"
	print "const size_t schema_n_classes = " n_classes ";"
}
