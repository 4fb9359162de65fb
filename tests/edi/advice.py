"""Builds X12 945 files for tests, by hand and not with the product's code, so that a misreading cannot cancel out."""


def shipment(st: int, *, order="1001", number="EWR-55501", purpose="N", lines=((10, 6),), tracking="1Z9", extra=()):
    body = [
        f"W06*{purpose}*{order}*20240301*{number}*{order}-1",
        "N1*ST*Café Tailspin*92*17",
        "N1*SF*Newark*92*EWR",
        f"N9*RE*{order}-1",
    ]
    if tracking:
        body.append(f"N9*CN*{tracking}")
    body += ["G62*11*20240301*8*143005", "W27*M*UPSN*GND"]
    for index, (ordered, shipped) in enumerate(lines, 1):
        status = "SH" if shipped == ordered else "PR"
        body += [
            f"LX*{index}",
            f"MAN*GM*0037{index:014d}",
            f"W12*{status}*{ordered}*{shipped}*{ordered - shipped}*EA**VN*142",
            f"N9*LI*500{index}",
        ]
    body += [f"W03*{sum(s for _, s in lines)}*120*LB", *extra]
    return [f"ST*945*{st:04d}", *body, f"SE*{len(body) + 2}*{st:04d}"]


def isa(control: int, sender="EWR", usage="P") -> str:
    return f"ISA*00*{'':10}*00*{'':10}*ZZ*{sender:15}*ZZ*{'CROSSDOCK':15}*240301*1430*U*00401*{control:09d}*0*{usage}*>"


def interchange(control: int, shipments, *, sender="EWR", usage="P", gs=1, ge=None, iea=None) -> bytes:
    segments = [
        isa(control, sender, usage),
        f"GS*SW*{sender}*CROSSDOCK*20240301*1430*{gs}*X*004010",
        *(segment for one in shipments for segment in one),
        ge or f"GE*{len(shipments)}*{gs}",
        iea or f"IEA*1*{control:09d}",
    ]
    return "".join(segment + "~\n" for segment in segments).encode()
