# cmake -DFROM=page.html -DTO=page.c -P embed.cmake: the file as an array of C.
file(READ ${FROM} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
file(WRITE ${TO} "#include \"osc/serve/page.h\"\n\nconst char page_html[] = {${bytes}0};\n")
