UPDATE `CamelCase` SET `CamelCase2` = 'w', `CamelCase` = `CamelCase` + 1000 WHERE `CamelCase1` < 5;
DELETE FROM `CamelCase` WHERE `CamelCase1` = 7;
