{
    "patcher": {
        "fileversion": 1,
        "appversion": {
            "major": 8,
            "minor": 5,
            "revision": 5,
            "architecture": "x64",
            "modernui": 1
        },
        "classnamespace": "box",
        "rect": [
            85.0,
            104.0,
            1305.7,
            891.0
        ],
        "bglocked": 0,
        "openinpresentation": 1,
        "default_fontsize": 12.0,
        "default_fontface": 0,
        "default_fontname": "Arial",
        "gridonopen": 1,
        "gridsize": [
            15.0,
            15.0
        ],
        "gridsnaponopen": 1,
        "objectsnaponopen": 1,
        "statusbarvisible": 2,
        "toolbarvisible": 1,
        "lefttoolbarpinned": 0,
        "toptoolbarpinned": 0,
        "righttoolbarpinned": 0,
        "bottomtoolbarpinned": 0,
        "toolbars_unpinned_last_save": 0,
        "tallnewobj": 0,
        "boxanimatetime": 200,
        "enablehscroll": 1,
        "enablevscroll": 1,
        "devicewidth": 0.0,
        "description": "",
        "digest": "",
        "tags": "",
        "style": "",
        "subpatcher_template": "",
        "assistshowspatchername": 0,
        "boxes": [
            {
                "box": {
                    "id": "obj-1",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        20.0,
                        20.0,
                        278.7,
                        30.0
                    ],
                    "text": "eutectic.voice voice [controller]",
                    "linecount": 1,
                    "fontsize": 18,
                    "fontface": 1
                }
            },
            {
                "box": {
                    "id": "obj-2",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        20.0,
                        56.0,
                        571.0,
                        20.0
                    ],
                    "text": "Fuses a clip with a reference and plays the fusion on one voice of the daemon. Needs an open [eutectic].",
                    "linecount": 1,
                    "fontsize": 12
                }
            },
            {
                "box": {
                    "id": "obj-3",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        20.0,
                        92.0,
                        332.4,
                        20.0
                    ],
                    "text": "Messages. All others are settings of the voice, or blend.",
                    "linecount": 1,
                    "fontsize": 12,
                    "fontface": 2
                }
            },
            {
                "box": {
                    "id": "obj-4",
                    "maxclass": "inlet",
                    "numinlets": 0,
                    "numoutlets": 1,
                    "patching_rect": [
                        218.6,
                        122.0,
                        30,
                        30
                    ],
                    "comment": "fuse original reference options; bang: repeat; blend, stop, gain, pan, \u2026",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-5",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        252.6,
                        123.0,
                        211.4,
                        33.0
                    ],
                    "text": "fuse original reference options; bang:\nrepeat; blend, stop, gain, pan, \u2026",
                    "linecount": 2,
                    "fontsize": 12
                }
            },
            {
                "box": {
                    "id": "obj-6",
                    "maxclass": "newobj",
                    "numinlets": 6,
                    "numoutlets": 6,
                    "patching_rect": [
                        218.6,
                        175.0,
                        620,
                        22.0
                    ],
                    "outlettype": [
                        "",
                        "",
                        "",
                        "",
                        "",
                        ""
                    ],
                    "text": "route bang fuse stop blend cc"
                }
            },
            {
                "box": {
                    "id": "obj-7",
                    "maxclass": "newobj",
                    "numinlets": 2,
                    "numoutlets": 2,
                    "patching_rect": [
                        338.4,
                        217.0,
                        60,
                        22.0
                    ],
                    "outlettype": [
                        "list",
                        "inactive"
                    ],
                    "text": "zl.reg"
                }
            },
            {
                "box": {
                    "id": "obj-8",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        273.6,
                        259.0,
                        207.4,
                        22.0
                    ],
                    "outlettype": [
                        ""
                    ],
                    "text": "prepend #0-eutectic /eutectic/fuse #1"
                }
            },
            {
                "box": {
                    "id": "obj-9",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        465.5,
                        301.0,
                        83.3,
                        22.0
                    ],
                    "outlettype": [],
                    "text": "s eutectic.ask"
                }
            },
            {
                "box": {
                    "id": "obj-10",
                    "maxclass": "textbutton",
                    "numinlets": 1,
                    "numoutlets": 3,
                    "patching_rect": [
                        1048.6,
                        175.0,
                        60,
                        22
                    ],
                    "presentation": 1,
                    "presentation_rect": [
                        194,
                        4,
                        60,
                        22
                    ],
                    "text": "stop",
                    "outlettype": [
                        "",
                        "",
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-11",
                    "maxclass": "newobj",
                    "numinlets": 2,
                    "numoutlets": 2,
                    "patching_rect": [
                        525.8,
                        217.0,
                        68.0,
                        22.0
                    ],
                    "outlettype": [
                        "",
                        ""
                    ],
                    "text": "route bang"
                }
            },
            {
                "box": {
                    "id": "obj-12",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        666.3,
                        259.0,
                        98.0,
                        22.0
                    ],
                    "text": "/eutectic/stop #1",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-13",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        501.0,
                        259.0,
                        145.3,
                        22.0
                    ],
                    "outlettype": [
                        ""
                    ],
                    "text": "prepend /eutectic/stop #1"
                }
            },
            {
                "box": {
                    "id": "obj-14",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        583.7,
                        301.0,
                        81.3,
                        22.0
                    ],
                    "outlettype": [],
                    "text": "s eutectic.out"
                }
            },
            {
                "box": {
                    "id": "obj-15",
                    "maxclass": "slider",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        820.5,
                        343.0,
                        140,
                        20
                    ],
                    "presentation": 1,
                    "presentation_rect": [
                        50,
                        32,
                        204,
                        20
                    ],
                    "size": 1.0,
                    "floatoutput": 1,
                    "orientation": 1,
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-16",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        820.5,
                        383.0,
                        152.0,
                        22.0
                    ],
                    "outlettype": [
                        ""
                    ],
                    "text": "prepend /eutectic/scrub #1"
                }
            },
            {
                "box": {
                    "id": "obj-17",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        820.5,
                        425.0,
                        81.3,
                        22.0
                    ],
                    "outlettype": [],
                    "text": "s eutectic.out"
                }
            },
            {
                "box": {
                    "id": "obj-18",
                    "maxclass": "newobj",
                    "numinlets": 10,
                    "numoutlets": 10,
                    "patching_rect": [
                        806.3,
                        217.0,
                        319.4,
                        22.0
                    ],
                    "outlettype": [
                        "",
                        "",
                        "",
                        "",
                        "",
                        "",
                        "",
                        "",
                        "",
                        ""
                    ],
                    "text": "routepass gain pan out loop xfade cfg recall strength mute"
                }
            },
            {
                "box": {
                    "id": "obj-19",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        913.3,
                        259.0,
                        170.0,
                        22.0
                    ],
                    "outlettype": [
                        ""
                    ],
                    "text": "prepend /eutectic/voice/set #1"
                }
            },
            {
                "box": {
                    "id": "obj-20",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        913.3,
                        301.0,
                        81.3,
                        22.0
                    ],
                    "outlettype": [],
                    "text": "s eutectic.out"
                }
            },
            {
                "box": {
                    "id": "obj-21",
                    "maxclass": "slider",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        1145.7,
                        175.0,
                        140,
                        20
                    ],
                    "presentation": 1,
                    "presentation_rect": [
                        50,
                        58,
                        204,
                        20
                    ],
                    "size": 66.0,
                    "min": -60.0,
                    "floatoutput": 1,
                    "orientation": 1,
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-22",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        1145.7,
                        217.0,
                        80.6,
                        22.0
                    ],
                    "outlettype": [
                        ""
                    ],
                    "text": "prepend gain"
                }
            },
            {
                "box": {
                    "id": "obj-23",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        120.0,
                        175.0,
                        78.6,
                        22.0
                    ],
                    "outlettype": [
                        ""
                    ],
                    "text": "loadmess #2"
                }
            },
            {
                "box": {
                    "id": "obj-24",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 3,
                    "patching_rect": [
                        20.0,
                        175.0,
                        80,
                        22.0
                    ],
                    "outlettype": [
                        "",
                        "",
                        ""
                    ],
                    "text": "ctlin"
                }
            },
            {
                "box": {
                    "id": "obj-25",
                    "maxclass": "newobj",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        138.4,
                        217.0,
                        180,
                        22.0
                    ],
                    "outlettype": [
                        ""
                    ],
                    "text": "expr ($i1 == $i2) && ($i2 > 0)"
                }
            },
            {
                "box": {
                    "id": "obj-26",
                    "maxclass": "newobj",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        181.3,
                        259.0,
                        34.0,
                        22.0
                    ],
                    "outlettype": [
                        ""
                    ],
                    "text": "gate"
                }
            },
            {
                "box": {
                    "id": "obj-27",
                    "maxclass": "newobj",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        404.9,
                        301.0,
                        40.6,
                        22.0
                    ],
                    "outlettype": [
                        ""
                    ],
                    "text": "/ 127."
                }
            },
            {
                "box": {
                    "id": "obj-28",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        858.6,
                        122.0,
                        129.3,
                        22.0
                    ],
                    "outlettype": [
                        ""
                    ],
                    "text": "loadmess set voice #1"
                }
            },
            {
                "box": {
                    "id": "obj-29",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        858.6,
                        175.0,
                        170,
                        20
                    ],
                    "presentation": 1,
                    "presentation_rect": [
                        4,
                        4,
                        150,
                        20
                    ],
                    "text": "voice",
                    "fontface": 1,
                    "outlettype": []
                }
            },
            {
                "box": {
                    "id": "obj-30",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        20.0,
                        475.0,
                        356.2,
                        20.0
                    ],
                    "text": "Answers. Only the end of the fusion that started last counts.",
                    "linecount": 1,
                    "fontsize": 12,
                    "fontface": 2
                }
            },
            {
                "box": {
                    "id": "obj-31",
                    "maxclass": "newobj",
                    "numinlets": 0,
                    "numoutlets": 1,
                    "patching_rect": [
                        20.0,
                        505.0,
                        76.6,
                        22.0
                    ],
                    "outlettype": [
                        ""
                    ],
                    "text": "r #0-eutectic"
                }
            },
            {
                "box": {
                    "id": "obj-32",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 2,
                    "patching_rect": [
                        20.0,
                        547.0,
                        260,
                        22.0
                    ],
                    "outlettype": [
                        "",
                        ""
                    ],
                    "text": "t l l"
                }
            },
            {
                "box": {
                    "id": "obj-33",
                    "maxclass": "newobj",
                    "numinlets": 4,
                    "numoutlets": 4,
                    "patching_rect": [
                        27.2,
                        589.0,
                        200,
                        22.0
                    ],
                    "outlettype": [
                        "",
                        "",
                        "",
                        ""
                    ],
                    "text": "route started ended queued"
                }
            },
            {
                "box": {
                    "id": "obj-34",
                    "maxclass": "newobj",
                    "numinlets": 2,
                    "numoutlets": 2,
                    "patching_rect": [
                        253.8,
                        589.0,
                        60,
                        22.0
                    ],
                    "outlettype": [
                        "anything",
                        "list"
                    ],
                    "text": "zl.nth 2"
                }
            },
            {
                "box": {
                    "id": "obj-35",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        317.8,
                        590.0,
                        92.7,
                        20.0
                    ],
                    "text": "removes the id",
                    "linecount": 1,
                    "fontsize": 12
                }
            },
            {
                "box": {
                    "id": "obj-36",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 2,
                    "patching_rect": [
                        287.5,
                        631.0,
                        30.0,
                        22.0
                    ],
                    "outlettype": [
                        "",
                        ""
                    ],
                    "text": "t l l"
                }
            },
            {
                "box": {
                    "id": "obj-37",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        310.5,
                        673.0,
                        74.0,
                        22.0
                    ],
                    "outlettype": [
                        ""
                    ],
                    "text": "prepend set"
                }
            },
            {
                "box": {
                    "id": "obj-38",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        310.5,
                        715.0,
                        86.6,
                        22.0
                    ],
                    "presentation": 1,
                    "presentation_rect": [
                        6,
                        84,
                        248,
                        22
                    ],
                    "text": "no request yet",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-39",
                    "maxclass": "newobj",
                    "numinlets": 2,
                    "numoutlets": 2,
                    "patching_rect": [
                        26.2,
                        631.0,
                        49.3,
                        22.0
                    ],
                    "outlettype": [
                        "anything",
                        "list"
                    ],
                    "text": "zl.nth 1"
                }
            },
            {
                "box": {
                    "id": "obj-40",
                    "maxclass": "newobj",
                    "numinlets": 2,
                    "numoutlets": 2,
                    "patching_rect": [
                        95.5,
                        631.0,
                        49.3,
                        22.0
                    ],
                    "outlettype": [
                        "anything",
                        "list"
                    ],
                    "text": "zl.nth 1"
                }
            },
            {
                "box": {
                    "id": "obj-41",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 2,
                    "patching_rect": [
                        45.7,
                        673.0,
                        30.0,
                        22.0
                    ],
                    "outlettype": [
                        "",
                        ""
                    ],
                    "text": "t 1 i"
                }
            },
            {
                "box": {
                    "id": "obj-42",
                    "maxclass": "newobj",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        77.4,
                        715.0,
                        30.0,
                        22.0
                    ],
                    "outlettype": [
                        ""
                    ],
                    "text": "=="
                }
            },
            {
                "box": {
                    "id": "obj-43",
                    "maxclass": "newobj",
                    "numinlets": 2,
                    "numoutlets": 2,
                    "patching_rect": [
                        77.7,
                        757.0,
                        35.9,
                        22.0
                    ],
                    "outlettype": [
                        "",
                        ""
                    ],
                    "text": "sel 1"
                }
            },
            {
                "box": {
                    "id": "obj-44",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        77.7,
                        799.0,
                        28.0,
                        22.0
                    ],
                    "outlettype": [
                        ""
                    ],
                    "text": "t 0"
                }
            },
            {
                "box": {
                    "id": "obj-45",
                    "maxclass": "outlet",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        56.1,
                        841.0,
                        30,
                        30
                    ],
                    "comment": "1: playing; 0: silent",
                    "outlettype": []
                }
            },
            {
                "box": {
                    "id": "obj-46",
                    "maxclass": "outlet",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        277.4,
                        841.0,
                        30,
                        30
                    ],
                    "comment": "answers: queued, progress stage fraction, started voice ms, done, ended, fail",
                    "outlettype": []
                }
            },
            {
                "box": {
                    "id": "obj-47",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        227.2,
                        505.0,
                        44,
                        20
                    ],
                    "presentation": 1,
                    "presentation_rect": [
                        4,
                        32,
                        44,
                        20
                    ],
                    "text": "blend",
                    "outlettype": []
                }
            },
            {
                "box": {
                    "id": "obj-48",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        291.2,
                        505.0,
                        44,
                        20
                    ],
                    "presentation": 1,
                    "presentation_rect": [
                        4,
                        58,
                        44,
                        20
                    ],
                    "text": "gain",
                    "outlettype": []
                }
            }
        ],
        "lines": [
            {
                "patchline": {
                    "source": [
                        "obj-4",
                        0
                    ],
                    "destination": [
                        "obj-6",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-6",
                        0
                    ],
                    "destination": [
                        "obj-7",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-6",
                        1
                    ],
                    "destination": [
                        "obj-7",
                        0
                    ],
                    "order": 1
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-7",
                        0
                    ],
                    "destination": [
                        "obj-8",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-8",
                        0
                    ],
                    "destination": [
                        "obj-9",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-6",
                        2
                    ],
                    "destination": [
                        "obj-11",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-11",
                        0
                    ],
                    "destination": [
                        "obj-12",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-12",
                        0
                    ],
                    "destination": [
                        "obj-14",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-10",
                        0
                    ],
                    "destination": [
                        "obj-12",
                        0
                    ],
                    "midpoints": [
                        1058.1,
                        197.0,
                        783.3,
                        217.0,
                        783.3,
                        239.0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-11",
                        1
                    ],
                    "destination": [
                        "obj-13",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-13",
                        0
                    ],
                    "destination": [
                        "obj-14",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-15",
                        0
                    ],
                    "destination": [
                        "obj-16",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-16",
                        0
                    ],
                    "destination": [
                        "obj-17",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-6",
                        3
                    ],
                    "destination": [
                        "obj-15",
                        0
                    ],
                    "midpoints": [
                        588.7,
                        197.0,
                        757.3,
                        217.0,
                        757.3,
                        239.0,
                        787.3,
                        259.0,
                        787.3,
                        281.0,
                        792.1,
                        301.0,
                        792.1,
                        323.0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-6",
                        5
                    ],
                    "destination": [
                        "obj-18",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-18",
                        0
                    ],
                    "destination": [
                        "obj-19",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-18",
                        1
                    ],
                    "destination": [
                        "obj-19",
                        0
                    ],
                    "order": 1
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-18",
                        2
                    ],
                    "destination": [
                        "obj-19",
                        0
                    ],
                    "order": 2
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-18",
                        3
                    ],
                    "destination": [
                        "obj-19",
                        0
                    ],
                    "order": 3
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-18",
                        4
                    ],
                    "destination": [
                        "obj-19",
                        0
                    ],
                    "order": 4
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-18",
                        5
                    ],
                    "destination": [
                        "obj-19",
                        0
                    ],
                    "order": 5
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-18",
                        6
                    ],
                    "destination": [
                        "obj-19",
                        0
                    ],
                    "order": 6
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-18",
                        7
                    ],
                    "destination": [
                        "obj-19",
                        0
                    ],
                    "order": 7
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-18",
                        8
                    ],
                    "destination": [
                        "obj-19",
                        0
                    ],
                    "order": 8
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-19",
                        0
                    ],
                    "destination": [
                        "obj-20",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-18",
                        9
                    ],
                    "destination": [
                        "obj-15",
                        0
                    ],
                    "midpoints": [
                        1116.2,
                        239.0,
                        1106.3,
                        259.0,
                        1106.3,
                        281.0,
                        1075.6,
                        301.0,
                        1075.6,
                        323.0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-21",
                        0
                    ],
                    "destination": [
                        "obj-22",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-22",
                        0
                    ],
                    "destination": [
                        "obj-19",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-6",
                        4
                    ],
                    "destination": [
                        "obj-25",
                        1
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-23",
                        0
                    ],
                    "destination": [
                        "obj-25",
                        1
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-24",
                        1
                    ],
                    "destination": [
                        "obj-25",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-25",
                        0
                    ],
                    "destination": [
                        "obj-26",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-24",
                        0
                    ],
                    "destination": [
                        "obj-26",
                        1
                    ],
                    "midpoints": [
                        29.5,
                        197.0,
                        115.4,
                        217.0,
                        115.4,
                        239.0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-26",
                        0
                    ],
                    "destination": [
                        "obj-27",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-27",
                        0
                    ],
                    "destination": [
                        "obj-15",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-28",
                        0
                    ],
                    "destination": [
                        "obj-29",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-31",
                        0
                    ],
                    "destination": [
                        "obj-32",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-32",
                        0
                    ],
                    "destination": [
                        "obj-33",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-32",
                        1
                    ],
                    "destination": [
                        "obj-34",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-34",
                        1
                    ],
                    "destination": [
                        "obj-36",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-36",
                        1
                    ],
                    "destination": [
                        "obj-37",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-37",
                        0
                    ],
                    "destination": [
                        "obj-38",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-33",
                        0
                    ],
                    "destination": [
                        "obj-39",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-39",
                        0
                    ],
                    "destination": [
                        "obj-41",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-41",
                        0
                    ],
                    "destination": [
                        "obj-45",
                        0
                    ],
                    "midpoints": [
                        55.2,
                        695.0,
                        54.4,
                        715.0,
                        54.4,
                        737.0,
                        54.7,
                        757.0,
                        54.7,
                        779.0,
                        54.7,
                        799.0,
                        54.7,
                        821.0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-41",
                        1
                    ],
                    "destination": [
                        "obj-42",
                        1
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-33",
                        1
                    ],
                    "destination": [
                        "obj-40",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-40",
                        0
                    ],
                    "destination": [
                        "obj-42",
                        0
                    ],
                    "midpoints": [
                        105.0,
                        653.0,
                        98.7,
                        673.0,
                        98.7,
                        695.0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-42",
                        0
                    ],
                    "destination": [
                        "obj-43",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-43",
                        0
                    ],
                    "destination": [
                        "obj-44",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-44",
                        0
                    ],
                    "destination": [
                        "obj-45",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-36",
                        0
                    ],
                    "destination": [
                        "obj-46",
                        0
                    ],
                    "midpoints": [
                        297.0,
                        653.0,
                        287.5,
                        673.0,
                        287.5,
                        695.0,
                        287.2,
                        715.0,
                        287.2,
                        737.0,
                        287.0,
                        757.0,
                        287.0,
                        779.0,
                        286.9,
                        799.0,
                        286.9,
                        821.0
                    ],
                    "order": 0
                }
            }
        ],
        "dependency_cache": [],
        "autosave": 0
    }
}
