/*
 * Status line: a line or some at the foot of a terminal, rewritten in place, that
 * log lines do not tear.
 *
 * Written to standard error.  At most one at a time.
 */
#ifndef OSC_BASE_STATUS_LINE_H
#define OSC_BASE_STATUS_LINE_H

#include <stdbool.h>

bool status_line_possible(void);    /* standard error is a terminal that can do it */
bool status_line_is_unicode(void);  /* the locale's character set is UTF-8 */
unsigned status_line_columns(void); /* of the terminal now */
unsigned status_line_rows(void);

void status_line_start(void);
/* Copied.  Several are parted by newlines; each must fit the columns, all together the rows. */
void status_line_show(const char *lines);
void status_line_stop(void); /* takes them away */

#endif
