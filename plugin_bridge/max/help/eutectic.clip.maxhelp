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
            1240.9,
            516.0
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
                        115.6,
                        30.0
                    ],
                    "text": "eutectic.clip",
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
                        378.9,
                        20.0
                    ],
                    "text": "A clip that the daemon keeps: a sound file, or a recording of its input.",
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
                        324.1,
                        20.0
                    ],
                    "text": "name: a word of letters, digits and _ . -, or a whole number",
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
                        419.2,
                        87.0
                    ],
                    "text": "load path options: a path in the daemon's clip folder (--clips), or the name\nof a clip that ships. bang: choose a file. Files can also be dropped onto its\npanel in a bpatcher.\nrecord seconds: record the daemon's input; without seconds, until stop. grab\nseconds: what was heard just now. free: remove the clip. cancel: cancel the\nlast request.",
                    "linecount": 6,
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
                        315.0,
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
                        345.0,
                        354.8,
                        33.0
                    ],
                    "text": "1: bang: done\n2: answers: queued, progress stage fraction, done, fail code text",
                    "linecount": 2,
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
                        406.0,
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
                        436.0,
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
                        495.2,
                        92.0,
                        316.5,
                        20.0
                    ],
                    "text": "The daemon reads only files in its clip folder (--clips).",
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
                        495.2,
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
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        658.5,
                        122.0,
                        289.8,
                        22.0
                    ],
                    "text": "load loop_drone_g_97.flac @start 0.5 @duration 2.0",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-14",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        968.3,
                        122.0,
                        58.0,
                        22.0
                    ],
                    "text": "record 4.",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-15",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        1046.3,
                        122.0,
                        33.3,
                        22.0
                    ],
                    "text": "stop",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-16",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        1099.6,
                        122.0,
                        48.0,
                        22.0
                    ],
                    "text": "grab 4.",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-17",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        1167.6,
                        122.0,
                        31.3,
                        22.0
                    ],
                    "text": "free",
                    "outlettype": [
                        ""
                    ]
                }
            },
            {
                "box": {
                    "id": "obj-18",
                    "maxclass": "bpatcher",
                    "numinlets": 1,
                    "numoutlets": 2,
                    "patching_rect": [
                        905.9,
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
                    "id": "obj-19",
                    "maxclass": "button",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        905.9,
                        268.0,
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
                    "id": "obj-20",
                    "maxclass": "comment",
                    "numinlets": 1,
                    "numoutlets": 0,
                    "patching_rect": [
                        933.9,
                        269.0,
                        114.7,
                        20.0
                    ],
                    "text": "loaded or recorded",
                    "linecount": 1,
                    "fontsize": 12
                }
            },
            {
                "box": {
                    "id": "obj-21",
                    "maxclass": "newobj",
                    "numinlets": 1,
                    "numoutlets": 1,
                    "patching_rect": [
                        1146.9,
                        268.0,
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
                    "id": "obj-22",
                    "maxclass": "message",
                    "numinlets": 2,
                    "numoutlets": 1,
                    "patching_rect": [
                        1146.9,
                        312.0,
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
                        "obj-18",
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
                        "obj-18",
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
                        "obj-18",
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
                        "obj-18",
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
                        "obj-18",
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
                        "obj-21",
                        0
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
            }
        ],
        "dependency_cache": [],
        "autosave": 0
    }
}
