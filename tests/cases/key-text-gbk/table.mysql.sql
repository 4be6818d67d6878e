CREATE TABLE t (k varchar(30) CHARACTER SET gbk COLLATE gbk_chinese_ci PRIMARY KEY, v int) DEFAULT CHARSET gbk;
INSERT INTO t VALUES (_gbk 0xB05C, 1), (_gbk 0xBF5C27, 2), (_gbk 0xC4E3BAC3, 3), ('''', 4), ('\\', 5), (_gbk 0x815C5C, 6);
