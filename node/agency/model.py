"""Rows of full-course agency (全程代办): investment projects, each with its named person and its cases."""

from datetime import date

from sqlmodel import Field, SQLModel


class ProjectRow(SQLModel, table=True):
    """An investment project whose cases one named person sees through."""

    __tablename__ = "agency_projects"
    number: str = Field(primary_key=True, max_length=60)
    name: str = Field(max_length=200)
    investor: str = Field(max_length=200)
    person: str = Field(max_length=40)
    """Staff number of the named person (专人)."""
    green: bool = True
    """绿色通道."""
    since: date
    closed_on: date | None = None


class ProjectCaseRow(SQLModel, table=True):
    """A case of a project."""

    __tablename__ = "agency_project_cases"
    no: str = Field(primary_key=True, max_length=50)
    number: str = Field(max_length=60, index=True)
    since: date
