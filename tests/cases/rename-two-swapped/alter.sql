CHANGE a b varchar(30), CHANGE b a varchar(30)
