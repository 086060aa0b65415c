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
            1037.4,
            686.0
        ],
        "bglocked": 0,
        "openinpresentation": 0,
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
                        126.4,
                        30.0
                    ],
                    "text": "eutectic.keys",
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
                        472.2,
                        20.0
                    ],
                    "text": "A fusion on a keyboard: a voice plays what it plays, or would, at the pitch of each note.",
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
                        76.7,
                        20.0
                    ],
                    "text": "Arguments",
                    "linecount": 1,
                    "fontsize": 12,
                    "fontface": 2
                }
            },
            {
                "box": {
                    "id": "obj-4",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        20.0,
                        122.0,
                        344.2,
                        20.0
                    ],
                    "text": "voice (default 0: the one in focus), MIDI channel (default 0: all)",
                    "linecount": 1,
                    "fontsize": 12
                }
            },
            {
                "box": {
                    "id": "obj-5",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        20.0,
                        170.0,
                        38.5,
                        20.0
                    ],
                    "text": "Inlet",
                    "linecount": 1,
                    "fontsize": 12,
                    "fontface": 2
                }
            },
            {
                "box": {
                    "id": "obj-6",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        20.0,
                        200.0,
                        370.2,
                        47.0
                    ],
                    "text": "note velocity options: play it, until velocity 0 of the same note, or for\n@gate seconds.\nenvelope attack decay sustain release: in ms, sustain 0 to 1.",
                    "linecount": 3,
                    "fontsize": 12
                }
            },
            {
                "box": {
                    "id": "obj-7",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        20.0,
                        275.0,
                        55.1,
                        20.0
                    ],
                    "text": "Outlets",
                    "linecount": 1,
                    "fontsize": 12,
                    "fontface": 2
                }
            },
            {
                "box": {
                    "id": "obj-8",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        20.0,
                        305.0,
                        186.1,
                        20.0
                    ],
                    "text": "none: the voice has the answers",
                    "linecount": 1,
                    "fontsize": 12
                }
            },
            {
                "box": {
                    "id": "obj-9",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        20.0,
                        353.0,
                        219.3,
                        20.0
                    ],
                    "text": "First run eutectic serve in a terminal",
                    "linecount": 1,
                    "fontsize": 12,
                    "fontface": 2
                }
            },
            {
                "box": {
                    "id": "obj-10",
                    "maxclass": "bpatcher",
                    "numinlets": 1,
                    "numoutlets": 4,
                    "patching_rect": [
                        20.0,
                        383.0,
                        260,
                        60
                    ],
                    "name": "eutectic.maxpat",
                    "args": [],
                    "outlettype": [
                        "",
                        "",
                        "",
                        ""
                    ],
                    "viewvisibility": 1,
                    "border": 1
                }
            },
            {
                "box": {
                    "id": "obj-11",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        446.2,
                        92.0,
                        294.2,
                        20.0
                    ],
                    "text": "1. Load two sounds as clips, or drop others here.",
                    "linecount": 1,
                    "fontsize": 12,
                    "fontface": 2
                }
            },
            {
                "box": {
                    "id": "obj-12",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        446.2,
                        122.0,
                        143.3,
                        22.0
                    ],
                    "text": "load ambi_glass_rub.flac",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-13",
                    "maxclass": "bpatcher",
                    "numinlets": 1,
                    "numoutlets": 2,
                    "patching_rect": [
                        446.2,
                        164.0,
                        260,
                        84
                    ],
                    "name": "eutectic.clip.maxpat",
                    "args": [
                        "glass"
                    ],
                    "outlettype": [
                        "",
                        ""
                    ],
                    "viewvisibility": 1,
                    "border": 1
                }
            },
            {
                "box": {
                    "id": "obj-14",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        726.2,
                        122.0,
                        230.9,
                        22.0
                    ],
                    "text": "load loop_drone_g_97.flac @duration 4.0",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-15",
                    "maxclass": "bpatcher",
                    "numinlets": 1,
                    "numoutlets": 2,
                    "patching_rect": [
                        726.2,
                        164.0,
                        260,
                        84
                    ],
                    "name": "eutectic.clip.maxpat",
                    "args": [
                        "drone"
                    ],
                    "outlettype": [
                        "",
                        ""
                    ],
                    "viewvisibility": 1,
                    "border": 1
                }
            },
            {
                "box": {
                    "id": "obj-16",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        446.2,
                        276.0,
                        204.9,
                        20.0
                    ],
                    "text": "2. Make one of them a reference.",
                    "linecount": 1,
                    "fontsize": 12,
                    "fontface": 2
                }
            },
            {
                "box": {
                    "id": "obj-17",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        446.2,
                        306.0,
                        187.3,
                        22.0
                    ],
                    "text": "remember drone warm low drone",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-18",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 2,
                    "patching_rect": [
                        446.2,
                        348.0,
                        150,
                        22.0
                    ],
                    "outlettype": [
                        "",
                        ""
                    ],
                    "text": "eutectic.reference low"
                }
            },
            {
                "box": {
                    "id": "obj-19",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        577.2,
                        390.0,
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
                    "id": "obj-20",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        577.2,
                        432.0,
                        97.3,
                        22.0
                    ],
                    "text": "no reference yet",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-21",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        446.2,
                        482.0,
                        120.6,
                        20.0
                    ],
                    "text": "3. Fuse, then play.",
                    "linecount": 1,
                    "fontsize": 12,
                    "fontface": 2
                }
            },
            {
                "box": {
                    "id": "obj-22",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        446.2,
                        512.0,
                        150.8,
                        22.0
                    ],
                    "text": "fuse glass low @blend 0.5",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-23",
                    "maxclass": "bpatcher",
                    "numinlets": 1,
                    "numoutlets": 2,
                    "patching_rect": [
                        446.2,
                        554.0,
                        260,
                        112
                    ],
                    "name": "eutectic.voice.maxpat",
                    "args": [
                        1
                    ],
                    "outlettype": [
                        "",
                        ""
                    ],
                    "viewvisibility": 1,
                    "border": 1
                }
            },
            {
                "box": {
                    "id": "obj-24",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        617.2,
                        512.0,
                        47.3,
                        22.0
                    ],
                    "text": "60 100",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-25",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        684.5,
                        512.0,
                        34.0,
                        22.0
                    ],
                    "text": "60 0",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-26",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        738.5,
                        512.0,
                        106.2,
                        22.0
                    ],
                    "text": "67 100 @gate 0.5",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-27",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        864.7,
                        512.0,
                        152.7,
                        22.0
                    ],
                    "text": "envelope 20. 300. 0.5 800.",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-28",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        726.2,
                        554.0,
                        160,
                        22.0
                    ],
                    "outlettype": [],
                    "text": "eutectic.keys 1"
                }
            }
        ],
        "lines": [
            {
                "patchline": {
                    "source": [
                        "obj-12",
                        0
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
                        "obj-14",
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
                        "obj-17",
                        0
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
                        1
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
                        "obj-22",
                        0
                    ],
                    "destination": [
                        "obj-23",
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
                        "obj-28",
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
                        "obj-28",
                        0
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
                        "obj-28",
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
                        "obj-28",
                        0
                    ],
                    "order": 0
                }
            }
        ],
        "dependency_cache": [],
        "autosave": 0
    }
}
