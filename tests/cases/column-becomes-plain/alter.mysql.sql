MODIFY b int
