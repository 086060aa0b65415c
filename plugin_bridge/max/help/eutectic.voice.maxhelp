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
            1851.1,
            772.0
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
                        131.8,
                        30.0
                    ],
                    "text": "eutectic.voice",
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
                        402.2,
                        20.0
                    ],
                    "text": "A voice of the daemon: fuses a clip with a reference and plays the fusion.",
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
                        396.8,
                        33.0
                    ],
                    "text": "voice (1 to 16; the daemon has four by default), MIDI controller for blend\n(default none)",
                    "linecount": 2,
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
                        183.0,
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
                        213.0,
                        412.2,
                        194.0
                    ],
                    "text": "fuse original reference options: fuse and play. bang: play the last fusion\nagain.\na number, or blend number: move from the reference (0) to the original (1).\nstop [fade-out ms]; gain dB; pan -1 to 1; out channel; loop 0 or 1; xfade ms;\ncfg number;\nrecall 0 to 1: from what the model learned to the reference as it is\nremembered; strength 0 to 2: of what was learned.\ncc number: use another MIDI controller.\nnote number velocity: play it at a pitch, until velocity 0; envelope attack\ndecay sustain release; focus: keyboards play it.\nfilter low, high, band or off, Hz, resonance; send 1 or 2, output, dB.\npad and four pairs: one in each corner; xy x y: move between them.\nlive reference options: fuse what comes in, over and over; live stop.\nundo; redo; keep name; favourite name.",
                    "linecount": 14,
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
                        435.0,
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
                        465.0,
                        414.9,
                        47.0
                    ],
                    "text": "1: 1 when a fusion starts, 0 when it falls silent\n2: answers: queued, progress stage fraction, started voice ms, done, ended\nvoice, fail code text",
                    "linecount": 3,
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
                        540.0,
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
                        570.0,
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
                        490.9,
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
                        490.9,
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
                        490.9,
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
                        770.9,
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
                        770.9,
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
                        490.9,
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
                        490.9,
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
                        490.9,
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
                        621.9,
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
                        621.9,
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
                        490.9,
                        482.0,
                        163.8,
                        20.0
                    ],
                    "text": "3. Fuse, then move blend.",
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
                        490.9,
                        512.0,
                        199.0,
                        22.0
                    ],
                    "text": "fuse glass low @blend 0.5 @loop 1",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-23",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        709.9,
                        512.0,
                        222.4,
                        22.0
                    ],
                    "text": "fuse glass low @remaining 12 @seed 7",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-24",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        952.3,
                        512.0,
                        56.6,
                        22.0
                    ],
                    "text": "stop 500",
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
                        1028.9,
                        512.0,
                        54.6,
                        22.0
                    ],
                    "text": "pan -0.5",
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
                        1103.5,
                        512.0,
                        59.3,
                        22.0
                    ],
                    "text": "recall 0.8",
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
                        1182.8,
                        512.0,
                        132.9,
                        22.0
                    ],
                    "text": "note 67 100 @gate 1.0",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-28",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        1335.7,
                        512.0,
                        101.3,
                        22.0
                    ],
                    "text": "filter low 800. 0.4",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-29",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        1457.0,
                        512.0,
                        114.8,
                        22.0
                    ],
                    "text": "live low @every 2.0",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-30",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        1591.8,
                        512.0,
                        54.6,
                        22.0
                    ],
                    "text": "live stop",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-31",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        1666.4,
                        512.0,
                        37.3,
                        22.0
                    ],
                    "text": "undo",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-32",
                    "maxclass": "flonum",
                    "numinlets": 1,
                    "numoutlets": 2,
                    "patching_rect": [
                        1723.7,
                        512.0,
                        60,
                        22
                    ],
                    "minimum": 0.0,
                    "maximum": 1.0,
                    "outlettype": [
                        "",
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-33",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        1787.7,
                        513.0,
                        43.4,
                        20.0
                    ],
                    "text": "blend",
                    "linecount": 1,
                    "fontsize": 12
                }
            },
            {
                "box": {
                    "id": "obj-34",
                    "maxclass": "bpatcher",
                    "numinlets": 1,
                    "numoutlets": 2,
                    "patching_rect": [
                        1203.9,
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
                    "id": "obj-35",
                    "maxclass": "toggle",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        1203.9,
                        686.0,
                        24,
                        24
                    ],
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-36",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        1231.9,
                        687.0,
                        52.0,
                        20.0
                    ],
                    "text": "playing",
                    "linecount": 1,
                    "fontsize": 12
                }
            },
            {
                "box": {
                    "id": "obj-37",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        1444.9,
                        686.0,
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
                        1444.9,
                        730.0,
                        55.3,
                        22.0
                    ],
                    "text": "answers",
                    "outlettype": [
                        ""
                    ]
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
                        "obj-34",
                        0
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
                        "obj-34",
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
                        "obj-34",
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
                        "obj-34",
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
                        "obj-34",
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
                        "obj-34",
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
                        "obj-34",
                        0
                    ],
                    "order": 0
                }
            },
            {
                "patchline": {
                    "source": [
                        "obj-29",
                        0
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
                        "obj-30",
                        0
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
                        "obj-31",
                        0
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
                        "obj-32",
                        0
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
                        0
                    ],
                    "destination": [
                        "obj-35",
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
            }
        ],
        "dependency_cache": [],
        "autosave": 0
    }
}
