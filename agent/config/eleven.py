"""The eleven archive categories that are there by default, each as its own table would say it.

Who has no factors passes by no rule of their own: those who are to stay at home are refused.
"""

from agent.config.tables.registers.category import CategoryConfig

_YEAR = 365
_BOTH = ("face", "pass", "pass+face")

ELEVEN = (
    CategoryConfig(id="resident", zh="居民", en="Resident", alternative="pass", factors=_BOTH),
    CategoryConfig(
        id="tenant", zh="租户", en="Tenant", alternative="pass", factors=_BOTH, valid_days=_YEAR
    ),
    CategoryConfig(
        id="migrant_worker",
        zh="务工人员",
        en="Migrant worker",
        alternative="pass",
        factors=_BOTH,
        valid_days=_YEAR // 2,
    ),
    CategoryConfig(
        id="returnee_inside",
        zh="省内返回",
        en="Returnee from inside the province",
        alternative="pass",
        factors=_BOTH,
        valid_days=14,
        ledger="returnees",
    ),
    CategoryConfig(
        id="returnee_outside",
        zh="省外返回",
        en="Returnee from outside the province",
        alternative="pass",
        factors=_BOTH,
        health_certificate=True,
        valid_days=14,
        ledger="returnees",
    ),
    CategoryConfig(
        id="home_isolation",
        zh="居家隔离",
        en="In home isolation",
        alternative="staffed",
        valid_days=14,
        ledger="isolation",
    ),
    CategoryConfig(
        id="isolation_ended",
        zh="解除隔离",
        en="Isolation ended",
        alternative="pass",
        factors=_BOTH,
        valid_days=_YEAR,
    ),
    CategoryConfig(
        id="key_region",
        zh="重点地区接触",
        en="Key-region contact",
        alternative="staffed",
        valid_days=14,
        ledger="isolation",
    ),
    CategoryConfig(
        id="staff",
        zh="志愿者和工作人员",
        en="Volunteer or staff",
        alternative="pass",
        factors=_BOTH,
    ),
    CategoryConfig(
        id="courier",
        zh="快递和服务人员",
        en="Courier or service",
        alternative="pass",
        factors=("pass",),
        valid_days=0,
        retention_days=14,
        ledger="visitors",
    ),
    CategoryConfig(
        id="visitor",
        zh="访客",
        en="Visitor",
        alternative="pass",
        factors=("pass",),
        valid_days=0,
        retention_days=14,
        ledger="visitors",
    ),
)
