// SPDX-License-Identifier: Apache-2.0
#include "hostile.h"

#include <string.h>

#define EVENT(key) \
	"<returnval xsi:type=\"VmPoweredOnEvent\"><key>" key "</key><chainId>" key \
	"</chainId>" \
	"<createdTime>2026-11-22T10:11:12.5Z</createdTime><userName>root</userName>"
#define END "</returnval>"
#define TEN(x) x x x x x x x x x x
#define BROKEN "<returnval>&</returnval>"
#define NAMESPACES \
	" xmlns:@='b' xmlns:@='b' xmlns:@='b' xmlns:@='b' xmlns:@='b' xmlns:@='b' xmlns:@='b' xmlns:@='b'"

/* clang-format 14 and 19 do not agree about braces in macros. */
/* clang-format off */
#define ROW(name, open, unit, close) \
	{ name, open, NULL, NULL, unit, close, NULL, true }
#define NESTED(name, open, nest, unit, unnest, close) \
	{ name, open, nest, unnest, unit, close, NULL, true }
#define PAGE_ROW(name, envelope, open, unit) \
	{ name, open, NULL, NULL, unit, "", envelope, false }
/* clang-format on */

const struct hostile hostile_pages[] = {
	/* elements */
	ROW("tiny elements in one event", EVENT("2"), "<q/>", END),
	ROW("tiny elements of different names", EVENT("2"), "<@/>", END),
	PAGE_ROW("tiny elements in each event", "", "", EVENT("2") TEN(TEN("<q/>")) END),
	ROW("elements out of order", EVENT("2"), "<userName>a</userName><key>2</key>", END),
	ROW("unknown elements in an object of a known class", EVENT("2") "<vm>", "<q>a</q>",
		"</vm>" END),
	ROW("objects of a large class", EVENT("2"), "<q xsi:type='VirtualMachineConfigInfo'/>",
		END),
	ROW("objects of no class", EVENT("2"), "<q xsi:type='@'/>", END),
	PAGE_ROW("elements outside of events", "", "", "<q/>"),
	PAGE_ROW("events without a key", "", "", "<returnval/>"),
	PAGE_ROW("small events", "", "", EVENT("2") END),
	ROW("elements in each other", EVENT("2"), "<a>", END),
	NESTED("tiny elements below 100 others", EVENT("2"), "<a>", "<q/>", "</a>", END),
	NESTED("a text below objects out of order", EVENT("2"), "<a><b/><b/>", "x", "</a>",
		END),
	NESTED("elements below objects out of order", EVENT("2"), "<a><b/><b/>", "<c>xx</c>",
		"</a>", END),
	ROW("levels that start and end", EVENT("2"), TEN("<a><b>") "x" TEN("</b></a>"), END),
	/* tags */
	ROW("attributes of one tag", EVENT("2") "<a", " @=''", "/>" END),
	ROW("the same attribute in one tag", EVENT("2") "<a", " a=''", "/>" END),
	ROW("ten attributes of each tag", EVENT("2"), "<a" TEN(" @=''") "/>", END),
	ROW("a hundred attributes of each tag", EVENT("2"), "<a" TEN(TEN(" @=''")) "/>", END),
	ROW("attributes with > in their values", EVENT("2") "<a", " @='>'", "/>" END),
	ROW("namespaces of one tag", EVENT("2") "<a", " xmlns:@='b'", "/>" END),
	ROW("namespaces of each tag", EVENT("2"), "<a" NAMESPACES "/>", END),
	NESTED("tiny elements below many namespaces", EVENT("2"), "<a" NAMESPACES ">", "<q/>",
		"</a>", END),
	ROW("a name without an end", EVENT("2") "<", "a", "/>" END),
	ROW("long names", EVENT("2"), "<@#/>", END),
	ROW("the same long name", EVENT("2"), "<#/>", END),
	ROW("a class name without an end", "<returnval xsi:type='", "a", "'></returnval>"),
	ROW("long class names", EVENT("2"), "<q xsi:type='@#'/>", END),
	ROW("a value without an end", EVENT("2") "<a b='", "x", "'/>" END),
	ROW("a value of references", EVENT("2") "<a b='", "&#65;", "'/>" END),
	ROW("a namespace without an end", EVENT("2") "<a xmlns='", "x", "'/>" END),
	ROW("long namespaces", EVENT("2"), "<a xmlns='@#'/>", END),
	/* what is no element */
	ROW("CDATA", EVENT("2") "<userName>", "<![CDATA[x]]>", "</userName>" END),
	ROW("empty CDATA", EVENT("2") "<userName>", "<![CDATA[]]>", "</userName>" END),
	PAGE_ROW("CDATA without an end", "", EVENT("2") "<userName><![CDATA[", "x"),
	ROW("comments", EVENT("2"), "<!---->", END),
	ROW("one comment", EVENT("2") "<!--", "x", "-->" END),
	PAGE_ROW("a comment without an end", "", EVENT("2") "<!--", "x"),
	ROW("processing instructions", EVENT("2"), "<?a?>", END),
	ROW("one processing instruction", EVENT("2") "<?a ", "x", "?>" END),
	/* texts */
	ROW("one text", EVENT("2") "<fullFormattedMessage>", "x",
		"</fullFormattedMessage>" END),
	ROW("a text of >", EVENT("2") "<fullFormattedMessage>", ">",
		"</fullFormattedMessage>" END),
	ROW("a text of &gt;", EVENT("2") "<fullFormattedMessage>", "&gt;",
		"</fullFormattedMessage>" END),
	ROW("a text of references", EVENT("2") "<fullFormattedMessage>", "&#x41;",
		"</fullFormattedMessage>" END),
	ROW("a text of quotes of no class", EVENT("2") "<q>", "\"", "</q>" END),
	ROW("a text of brackets", EVENT("2") "<fullFormattedMessage>", "]",
		"</fullFormattedMessage>" END),
	ROW("texts between elements", EVENT("2"), "x<q/>", END),
	ROW("a long name of a datacenter", EVENT("2") "<datacenter><name>", "x",
		"</name></datacenter>" END),
	PAGE_ROW("characters that XML forbids", "", EVENT("2") "<userName>", "\x01"),
	PAGE_ROW("bytes that are no UTF-8", "", EVENT("2") "<userName>", "\xff"),
	ROW("the word returnval", EVENT("2") "<userName>", "returnval ", "</userName>" END),
	/* repair */
	PAGE_ROW("each event is broken", "", "", EVENT("4") "&" END),
	PAGE_ROW("one broken event before small ones", "", BROKEN, EVENT("2") END),
	PAGE_ROW("broken, and a namespace without an end", " xmlns:x='%'", BROKEN,
		EVENT("2") END),
	PAGE_ROW("broken, and long namespaces", TEN(" xmlns:@='#'"), BROKEN, EVENT("2") END),
	PAGE_ROW("broken, and namespaces", TEN(TEN(" xmlns:@='b'")), BROKEN, EVENT("2") END),
	ROW("a broken event of &", EVENT("2") "<userName>", "&", "</userName>" END),
	ROW("a broken event of references", EVENT("2") "<userName>", "&#0;", "</userName>" END),
	ROW("a broken event of <", EVENT("2") "<userName>", "<", "</userName>" END),
	ROW("a broken event of end tags", EVENT("2") "<userName>", "</a>", "</userName>" END),
	ROW("a broken event of ends", EVENT("2") "<userName>", "</returnval >", ""),
	PAGE_ROW("a broken event of starts", "", EVENT("2"), "<returnval "),
	ROW("a broken event of tiny elements", EVENT("2") "&", "<q/>", END),
	ROW("a broken event of different names", EVENT("2") "&", "<@/>", END),
	ROW("a broken event of attributes", EVENT("2") "& <a", " @=''", "/>" END),
	ROW("a broken event of unquoted values", EVENT("2"), "<a b=c/>", END),
	ROW("a broken event of unknown entities", EVENT("2") "<userName>", "&@;",
		"</userName>" END),
	ROW("a broken event of ]]>", EVENT("2") "& <q>", "]]>", "</q>" END),
	ROW("a broken event of wrong references", EVENT("2") "<userName>", "&#;",
		"</userName>" END),
	ROW("a broken event of & and CDATA", EVENT("2") "<userName><![CDATA[]]>", "&",
		"</userName>" END),
	PAGE_ROW("broken events of & and CDATA", "", "",
		EVENT("2") "<![CDATA[]]>" TEN(TEN(TEN("&"))) END),
	PAGE_ROW("broken events of entities", "", "", EVENT("2") TEN(TEN(TEN("&a;"))) END),
	ROW("a broken event of wrong ends", EVENT("2"), "<a></b>", END),
	ROW("a broken event of prefixes", EVENT("2") "&", "<@:b/>", END),
	NESTED("a broken event below many namespaces", EVENT("2") "&", "<a" NAMESPACES ">",
		"<q/>", "</a>", END),
	NESTED("a broken event below objects out of order", EVENT("2") "&", "<a><b/><b/>", "x",
		"</a>", END),
};

const size_t hostile_n = sizeof(hostile_pages) / sizeof(hostile_pages[0]);

enum { LEVELS = 90 }; /* below EVENT_DEPTH_MAX */

struct builder {
	struct buf *page;
	size_t size, number;
};

static void
add_letters(struct buf *page, size_t n)
{
	char *to = buf_room(page, n);

	if (to == NULL)
		return;
	memset(to, 'a', n);
	buf_grew(page, n);
}

static void
add(struct builder *b, const char *text)
{
	for (; text != NULL && *text != '\0'; text++) {
		if (*text == '@')
			buf_printf(b->page, "n%zu", b->number++);
		else if (*text == '#')
			add_letters(b->page, 10000);
		else if (*text == '%')
			add_letters(b->page, b->size / 2);
		else
			buf_add_char(b->page, *text);
	}
}

/* "&#65;" has a # that means itself. */
static void
add_unit(struct builder *b, const char *unit)
{
	if (strncmp(unit, "&#", 2) == 0)
		buf_add_str(b->page, unit);
	else
		add(b, unit);
}

void
hostile_build(const struct hostile *h, struct buf *page, size_t size)
{
	struct builder b = { page, size, 0 };

	buf_add_str(page,
		"<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\""
		" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"");
	add(&b, h->envelope);
	buf_add_str(
		page, "><S:Body><ReadNextEventsResponse xmlns=\"urn:vim25\">" EVENT("1") END);
	add(&b, h->open);
	for (int i = 0; i < LEVELS; i++)
		add(&b, h->nest);
	while (page->len < size)
		add_unit(&b, h->unit);
	for (int i = 0; i < LEVELS; i++)
		add(&b, h->unnest);
	add(&b, h->close);
	buf_add_str(page, EVENT("3") END "</ReadNextEventsResponse></S:Body></S:Envelope>");
}
