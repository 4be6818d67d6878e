CHANGE a A varchar(30)
