"""Refusals in Chinese: the core says them in English, sentence by sentence; here is what each means.

A pair is a sentence with `{}` where data stands, and its translation with the same places in the same order (or
numbered). A sentence that isn't here is shown as it is.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from geo_cluster.domain import Language
from geo_cluster.errors import Fault

SENTENCES: tuple[tuple[str, str], ...] = (
    ("is empty", "为空"),
    ("is missing", "缺失"),
    ("appears twice", "出现两次"),
    ("is a second column for {}", "与“{}”重复"),
    ("is not a column of a portfolio", "不是项目表的列"),
    ("{} is not a number", "{} 不是数"),
    ("{} runs backwards", "{} 前大后小"),
    ("{} is not above zero", "{} 不大于零"),
    ("{} is too large", "{} 太大"),
    ("check the unit in the heading", "请核对表头里的单位"),
    ("{} is no positive number", "{} 不是正数"),
    ("is below zero", "小于零"),
    ("{} does not hold", "{} 不成立"),
    ("{} is not a year", "{} 不是年份"),
    ("{} is no date", "{} 不是日期"),
    ("{} is not a segment", "{} 不是产业链环节"),
    ("{} is used twice", "{} 用了两次"),
    ("{} is no attribute", "{} 不是指标"),
    ("{} is no basis", "{} 不是依据"),
    ("{} is no unit of {}", "{} 不是“{}”的单位"),
    ("{} is no unit of area", "{} 不是面积单位"),
    ("says no unit", "没有写单位"),
    ("{} is no site, substation or prefecture", "{} 不是园区、变电站或市州"),
    ("{} is the name of several", "{} 是多个对象的名称"),
    ("{} belongs to a site, and {} is a substation", "{}属于园区，而 {} 是变电站"),
    ("{} belongs to a site, and {} is a prefecture", "{}属于园区，而 {} 是市州"),
    ("{} belongs to a substation, and {} is a site", "{}属于变电站，而 {} 是园区"),
    ("{} belongs to a substation, and {} is a prefecture", "{}属于变电站，而 {} 是市州"),
    ("{} belongs to a prefecture, and {} is a site", "{}属于市州，而 {} 是园区"),
    ("{} belongs to a prefecture, and {} is a substation", "{}属于市州，而 {} 是变电站"),
    ("says the same thing of {} as row {}", "与第 {1} 行说的是同一件事（{0}）"),
    ("{} is no site", "{} 不是园区"),
    ("{} is not known", "{} 不认识"),
    ("{} is no county of Hubei", "{} 不是湖北的县区"),
    ("{} is no voltage", "{} 不是电压等级"),
    ("{} can't be read", "{} 读不懂"),
    ("transformers_mva {} can't be read", "主变 {} 读不懂"),
    ("has the name of an earlier row", "与前面某行重名"),
    ("is the station of row {} again", "与第 {} 行是同一座站"),
    ("is needed for a new station", "新站必须有坐标"),
    ("has longitude and latitude swapped", "经纬度写反了"),
    ("has x {} and y {}: longitude and latitude are swapped", "经纬度写反了（{}，{}）"),
    ("lies outside Hubei and its neighbours", "不在湖北及邻近范围内"),
    ("lies outside {}, which it claims", "不在所写的{}之内"),
    ("lies {} km from {}, the site it would belong to", "距可归属的园区 {1} 有 {0} 千米"),
    (
        "looks shifted: taken as {}, {} more of its points are where they should be than as WGS84",
        "坐标像是偏移的：按 {} 解释，多 {} 个点落在应在之处",
    ),
    ("installed capacity {} MVA is below peak load {} MVA", "主变容量 {} MVA 小于最大负荷 {} MVA"),
    ("peak load {} MVA is not in rising order", "最大负荷 {} MVA 未按从小到大"),
    ("has no coordinate reference system", "没有坐标系"),
    ("is not in degrees, as {} would be", "不是 {} 应有的经纬度"),
    ("{} is no coordinate reference system", "{} 不是坐标系"),
    ("says {}, in metres, but its numbers are degrees ({})", "自述 {}（米），而数值是度（{}）"),
    ("says {}, which is in degrees, but its numbers are not ({})", "自述 {}（度），而数值不是（{}）"),
    ("has no geometry", "没有图形"),
    ("is no outline in WKT", "不是 WKT 边界"),
    ("is a {}, which has no area", "是 {}，没有面积"),
    ("its ring crosses or touches itself: {}", "边界自相交：{}"),
    ("overlaps {} by {} ha", "与 {} 重叠 {} 公顷"),
    ("is a file of shapes", "是图形文件"),
    ("has no heading row", "没有表头行"),
    ("is no Excel workbook", "不是 Excel 工作簿"),
    ("has more cells than headings", "单元格比表头多"),
    ("has no project", "没有项目"),
    ("has nothing to take over", "没有可采用的内容"),
    ("is an old Excel file (.xls)", "是旧版 Excel 文件（.xls）"),
    ("is a damaged archive", "压缩包已损坏"),
    ("is not text in UTF-8 or GB 18030", "不是 UTF-8 或 GB 18030 文本"),
    ("holds a formula without a value", "是公式，却没有算好的值"),
    ("{} is an error of the spreadsheet", "{} 是表格的报错值"),
    ("has {} MB, more than the {} MB that are read at once", "有 {} MB，超过一次可读的 {} MB"),
    ("unpacks to {} MB, more than the {} MB allowed", "解压后 {} MB，超过允许的 {} MB"),
    ("has {} rows, more than the {} that are read at once", "有 {} 行，超过一次可读的 {} 行"),
    ("can't be read ({})", "读不了（{}）"),
    ("{} is no layer of {}", "{1} 里没有图层 {0}"),
    ("{} is no number", "{} 不是数"),
    ("has no import {}", "没有第 {} 次导入"),
    ("was said by {} of a station that goes with this import", "由 {} 说的是随本次导入一并撤走的站"),
    ("is already one of your own", "已是自有图层"),
    ("has no CRS", "没有坐标系"),
    ("has no column {}", "没有 {} 列"),
    ("has no name of its own", "没有自己的名称"),
    ("buffer_m is {}", "缓冲距离是 {}"),
    ("no such portfolio", "没有这个项目表"),
    ("substation {} is not in the layer", "图层中没有变电站 {}"),
    ("can't be read", "读不懂"),
    ("is no section", "不是一节"),
    ("is no role", "不是角色"),
    ("is no list", "不是列表"),
    ("is not the address of the app with /oauth2callback", "不是应用网址加 /oauth2callback"),
    ("is shorter than 32 characters", "不足 32 个字符"),
    ("is spread over lines", "写成了多行"),
    ("is not an address", "不是网址"),
    ("has an underscore in its name", "名称带下划线"),
    ("does not answer ({})", "没有应答（{}）"),
    ("answers with status {}", "应答状态为 {}"),
    ("does not answer as an identity provider does", "应答的不是身份提供方"),
    ("is damaged: its history can't be followed", "已损坏：历史对不上"),
    ("is damaged: its plan can't be read", "已损坏：测算结果读不出"),
    ("is damaged: has no revision", "已损坏：没有任何版本"),
    ("is damaged: revision {} can't be read", "已损坏：第 {} 版读不出"),
    ("there is no such work for you", "没有您能看的这个方案"),
    ("was deleted by {}", "已被 {} 删除"),
    ("is not yours to share", "不归您共享"),
    ("is not yours to delete", "不归您删除"),
    ("is not yours to restore", "不归您找回"),
    ("may not save works (role {})", "不能保存方案（角色 {}）"),
    ("may not save plans (role {})", "不能保存测算结果（角色 {}）"),
    ("is no plain file name (got {})", "不是普通文件名（{}）"),
    ("{} is a link to another place", "{} 是指向别处的链接"),
    ("is no path that every system has", "不是各系统都可用的路径"),
    ("has the name of another file", "与另一文件重名"),
    ("is named like a file of the results", "与结果文件重名"),
    # what to do
    ("name a file that lies beside sources.toml, such as sites.csv", "写 sources.toml 旁的文件名，如 sites.csv"),
    ("put the file itself there", "把文件本身放在那里"),
    ("use plain names with / between them, e.g. layers/a.csv", "用普通名称，以 / 分隔，如 layers/a.csv"),
    ("rename one of them", "给其中一个改名"),
    ("rename the portfolio", "给项目表改名"),
    (
        "go back to an earlier revision of it, or put a copy of the workspace back",
        "回到它较早的版本，或用工作区的备份恢复",
    ),
    ("fill it in", "请填写"),
    ("add it", "请补上"),
    ("add it; it is required", "请补上，此列必填"),
    ("add a column {} or {}", "请加一列“{}”"),
    ("keep one", "留一个"),
    ("keep one of them", "留一个"),
    ("keep one of the rows", "留一行"),
    ("use {}", "可用：{}"),
    ("use one of {}", "可用：{}"),
    ("write 30, or 25-35 for a range", "写 30，或区间 25-35"),
    ("write 30, or 20-40 for a range", "写 30，或区间 20-40"),
    ("write the smaller number first", "小的写在前"),
    ("write one number", "写一个数"),
    ("write one number above 0", "写一个大于 0 的数"),
    ("write a number", "写一个数"),
    ("write metres, e.g. 30", "写米数，如 30"),
    ("give a number from 0 on", "写不小于 0 的数"),
    ("give a positive number or leave it empty", "写正数，或留空"),
    ("put low, likely and high in order", "下限 ≤ 最可能 ≤ 上限"),
    ("write low <= likely <= high", "下限 ≤ 最可能 ≤ 上限"),
    ("write 上报, 公开, 推算 or 假定", "写上报、公开、推算或假定"),
    ("write 亩, 公顷 or 平方米", "写亩、公顷或平方米"),
    ("write its id, e.g. H01, G10 or 420700", "写编号，如 H01、G10 或 420700"),
    ("write its id or name, e.g. H01", "写编号或名称，如 H01"),
    ("write ids such as H01;H03", "写编号，如 H01;H03"),
    ("write its name or code, e.g. 大冶市 or 420281", "写名称或代码，如大冶市或 420281"),
    ("write 2026, 2026-06 or 2026-06-15", "写 2026、2026-06 或 2026-06-15"),
    ("write e.g. 2027", "如 2027"),
    ("write e.g. 220/110/35", "如 220/110/35"),
    ("write ratings in MVA, e.g. 2x50+31.5", "写 MVA，如 2x50+31.5"),
    ("write POLYGON ((x y, x y, …)), the first corner again at its end", "写 POLYGON ((x y, x y, …))，末点同首点"),
    ("name a site", "请写园区"),
    ("name a substation", "请写变电站"),
    ("name a prefecture", "请写市州"),
    ("name its site, or check the coordinate reference system", "写明所属园区，或核对坐标系"),
    ("give each project its own", "每个项目用不同编号"),
    ("give each substation a name of its own, or merge the rows", "每座站用不同名称，或合并各行"),
    ("give it its own name", "换一个名称"),
    ("give the annual output in 亿元", "填年产值（亿元）"),
    ("add at least one row with segment and output", "至少一行，填环节与年产值"),
    ("fill in at least one row", "至少填一行"),
    ("give longitude and latitude in degrees", "填经纬度（度）"),
    ("give longitude first", "经度在前"),
    ("give longitude first, in degrees", "经度在前，单位度"),
    ("check for swapped lon/lat", "看经纬度是否写反"),
    ("check it", "请核对"),
    ("check both numbers and their units (MVA)", "核对两个数及其单位（MVA）"),
    ("choose the one that it was drawn in", "在“坐标系”中选绘图所用的那个"),
    ("convert the points from {} to WGS84", "在“坐标系”中选 {}，或先换算为 WGS84"),
    ("set the CRS that the numbers are in, e.g. {}", "在“坐标系”中选数值所用的，如 {}"),
    ("set the projected CRS that the numbers are in, e.g. {}", "在“坐标系”中选数值所用的投影，如 {}"),
    ("give e.g. EPSG:4547", "如 EPSG:4547"),
    ("give a layer of polygons or points", "给面或点图层"),
    ("give polygons, or a buffer_m", "给面图形"),
    ("give an area, or an outline", "填面积，或给边界"),
    ("correct the ring in its source", "在原图中改正边界"),
    ("draw the boundary between them once", "公共边界只画一次"),
    ("read it as parcels or substations", "按地块或变电站读取"),
    ("put the headings into one row, the data below it", "表头一行，数据在下"),
    ("add a heading or remove them", "补表头，或删去多余单元格"),
    ("save it as .xlsx or CSV", "另存为 .xlsx 或 CSV"),
    ("save it as CSV (UTF-8) or XLSX", "另存为 CSV（UTF-8）或 XLSX"),
    ("save it as CSV (UTF-8) or XLSX with one heading row", "另存为 CSV（UTF-8）或 XLSX，表头一行"),
    ("save it with its coordinate reference system", "连同坐标系一起保存"),
    ("correct the name or add the substation", "改正名称，或加上该站"),
    ("give each exclusion a different name", "每条规则用不同名称"),
    ("add it: ratings in MVA, e.g. 2x50", "请补上，如 2x50"),
    ("add the column {}", "请加 {} 列"),
    ("set it with set_crs: {}", "在“坐标系”中选：{}"),
    ("land_mu, hall and largest_union must be above 0", "用地、厂房与合并块数须大于 0"),
    ("give positive numbers", "写正数"),
    ("give the path of a CSV or XLSX file, or 'sample'", "写 CSV 或 XLSX 文件的路径"),
    ("give a distance in metres, 0 or more", "写不小于 0 的米数"),
    ("give a vector file: GeoJSON, GeoPackage or Shapefile", "给矢量文件：GeoJSON、GeoPackage 或 Shapefile"),
    ("say which site each belongs to", "写明每块属于哪个园区"),
    ("check the path and the format", "核对路径与格式"),
    ("save the file again", "重新保存文件"),
    ("save or pack the file again", "重新保存或压缩"),
    ("open and save it in Excel or WPS, or paste values", "在 Excel 或 WPS 打开并保存，或粘贴为值"),
    ("mend the formula or write the value", "改好公式，或直接写值"),
    ("split it, or leave out columns and vertices that are not needed", "拆分，或去掉不用的列与顶点"),
    ("split it", "请拆分"),
    ("split the file", "请拆分文件"),
    ("check that it opens where it was made, and save it again", "在原软件中打开确认，再保存一次"),
    ("revert that import first", "先撤回那次导入"),
    ("look at the list again", "重看列表"),
    ("take that layer out first", "先取下该图层"),
    ("undo to an earlier version of the work", "撤销到更早的版本"),
    ("mend it; until then nobody is let in", "请改正；在此之前谁也进不来"),
    ("write [auth], and the settings below it", "写 [auth]，各项设置写在其下"),
    ("write the address that people open, e.g. {}", "写大家打开的网址，如 {}"),
    ("write a long random text; whoever guesses it can be anybody", "写一长串随机字符；猜中它的人能冒充任何人"),
    ("write [roles], and one line for each role", "写 [roles]，每个角色一行"),
    ("write it on one line", "写成一行"),
    ("write e.g. {}", "如 {}"),
    ("use letters and digits", "只用字母和数字"),
    ("check the address", "核对网址"),
    ("check the address, and the way there from this server", "核对网址，以及服务器能否连到那里"),
    (
        "name the file of your own certificates in SSL_CERT_FILE and start the app again",
        "用环境变量 SSL_CERT_FILE 指明自有证书文件，再启动应用",
    ),
    ("check the link, or ask its owner", "核对链接，或问其所有者"),
    ("restore it, or open another", "找回它，或打开别的方案"),
    ("ask its owner or an admin", "请问其所有者或管理员"),
    ("ask for the role planner", "请管理员给您规划员角色"),
)


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Sentences as patterns, those with more words of their own first."""
    order = sorted(SENTENCES, key=lambda pair: -len(pair[0].replace("{}", "")))
    return [(re.compile(re.escape(en).replace(r"\{\}", "(.+?)"), re.DOTALL), zh) for en, zh in order]


def sentence(said: str, language: Language) -> str:
    """A sentence of the core in a language."""
    if language == "en":
        return said
    for pattern, zh in _patterns():
        found = pattern.fullmatch(said)
        if found:
            return zh.format(*found.groups())
    return said


def told(fault: Fault, language: Language) -> Fault:
    """A fault in a language; its place with 行 and 列."""
    if language == "en":
        return fault
    return replace(
        fault,
        where=_where(fault),
        what=sentence(fault.what, language),
        remedy=sentence(fault.remedy, language),
    )


def _where(fault: Fault) -> str:
    """The place of a fault in Chinese, by the row and the column it names: what else it says may be any name."""
    where, column = fault.where, ""
    if fault.column and f", column {fault.column}" in where:
        where, _, more = where.rpartition(f", column {fault.column}")
        column = f" “{fault.column}”列{more}"
    if fault.row and f" row {fault.row}" in where:
        name, _, more = where.rpartition(f" row {fault.row}")
        where = f"{name.removesuffix(',')} 第 {fault.row} 行{more}"
    return where + column
