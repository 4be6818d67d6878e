UPDATE `it's \n` SET `it's \n2` = 'w', `it's \n` = `it's \n` + 1000 WHERE `it's \n1` < 5;
DELETE FROM `it's \n` WHERE `it's \n1` = 7;
