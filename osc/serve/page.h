/*
 * The page at /: page.html, built in by embed.cmake.
 */
#ifndef OSC_SERVE_PAGE_H
#define OSC_SERVE_PAGE_H

extern const char page_html[]; /* ends with a NUL */

#endif
