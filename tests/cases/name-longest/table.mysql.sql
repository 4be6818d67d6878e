CREATE TABLE `ññññññññññññññññññññññññññññññññññññññññññññññññññññññññññññññññ` (`cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc` int PRIMARY KEY, b int, KEY `kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk` (b));
INSERT INTO `ññññññññññññññññññññññññññññññññññññññññññññññññññññññññññññññññ` VALUES (1, 1), (2, 2);
