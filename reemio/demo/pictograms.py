"""The drawings of the demo shop: what a pair of boots, a teapot or a tent looks like in a few flat shapes.

They stand in `pictograms.txt`; this module reads them, and `SHELVES` says what is drawn for which product.

A drawing lives on a 100 x 100 canvas and is written as a name and its strokes, back to front. A stroke is a
tone, for lines `/width` (and `:dashes`), and a shape: an SVG path, `o cx cy r` for a circle, `e cx cy rx ry`
for an ellipse, or `r x y width height radius` for a rectangle. A line `t` turns the whole drawing. The tones
are named here and mixed in `pictures`: a main, s its shade, l its tint, b accent, d dark, m metal, w paper,
k shadow, h highlight; and those of nature: n nut, N bark, g leaf, G moss, o fox, r poppy, y honey, v lavender,
f sand, q water.
"""

import re
from importlib.resources import files
from typing import NamedTuple


class Stroke(NamedTuple):
    """One shape of a drawing; `width` 0 means filled."""

    tone: str
    width: float
    dashes: str
    element: str


class Pictogram(NamedTuple):
    """A whole drawing: how it is turned, if it is (an SVG transform), and its strokes from back to front."""

    transform: str
    strokes: tuple[Stroke, ...]


_SHAPE = re.compile(r"^(?P<kind>[oer]) (?P<numbers>[-\d. ]+)$")


def _element(shape: str) -> str:
    """The SVG element, without its paint and its closing slash, that a shape of the notation stands for."""
    found = _SHAPE.match(shape)
    if found is None:
        return f'<path d="{shape}"'
    names = {
        "o": ("circle", ("cx", "cy", "r")),
        "e": ("ellipse", ("cx", "cy", "rx", "ry")),
        "r": ("rect", ("x", "y", "width", "height", "rx")),
    }
    tag, attributes = names[found["kind"]]
    values = zip(attributes, found["numbers"].split(), strict=True)
    return f"<{tag} " + " ".join(f'{name}="{value}"' for name, value in values)


def _strokes(lines: list[str]) -> Pictogram:
    turned = ""
    strokes = []
    for line in lines:
        paint, shape = line.split(" ", 1)
        if paint == "t":
            turned = shape
            continue
        tone, _, pen = paint.partition("/")
        width, _, dashes = pen.partition(":")
        strokes.append(Stroke(tone, float(width or 0), dashes.replace(",", " "), _element(shape)))
    return Pictogram(turned, tuple(strokes))


def _read(source: str) -> dict[str, Pictogram]:
    drawings: dict[str, list[str]] = {}
    name = ""
    for line in filter(None, source.splitlines()):
        if line.startswith("  "):
            drawings[name].append(line.strip())
        else:
            name = line
            drawings[name] = []
    return {name: _strokes(lines) for name, lines in drawings.items()}


PICTOGRAMS: dict[str, Pictogram] = _read(files("reemio.demo").joinpath("pictograms.txt").read_text(encoding="utf-8"))

# One line a shelf (a category): what is drawn there, then `words of the title=drawing`, the first match winning.
_SHELVES = """
Electronics > Audio > Headphones: headphones; Earbuds=earbuds; In-Ear=earbuds; Earphones=earbuds
Electronics > Audio > Speakers: speaker; Soundbar=soundbar; Radio=radio; Turntable=turntable; Stands=stand
Electronics > Computers > Laptops: laptop; Tablet=tablet; Reader=tablet; Desktop=computer
Electronics > Computers > Keyboards & Mice: keyboard; Mouse=mouse; Mat=mat; Hub=hub; Riser=riser; Cloth=cloth; \
Webcam=webcam
Electronics > Phones > Charging: charger; Cable Clips=cable; Cable=cable; Power Bank=powerbank; Stand=chargestand; \
Solar=solarpanel
Electronics > Cameras: camera; Lens=lens; Trailcam=trailcam; Instant Print=instantcam; Film=film; Tripod=tripod; \
Memory Card=memorycard; Action=webcam; Sling=saddlebag
Electronics > Smart Home > Lighting: bulb; Strip=lightstrip; Motion=doorbell; Plug=smartplug; Doorbell=doorbell; \
Thermostat=thermostat; Switch=smartplug; Leak=sensor
Electronics > Computers > Printers: printer; Ink Bottle=inkbottle; Toner=toner; Maker=labelmaker; Tape=tape
Fashion > Women > Dresses: dress; Kaftan=robe
Fashion > Men > Shirts: shirt; Tee=tee; Polo=tee; Overshirt=jacket
Fashion > Shoes > Sneakers: sneaker; Runner=runner; Trainer=runner; Sandal=sandal; Laces=laces; Care=caretin; \
High-Top=boot
Fashion > Shoes > Boots: boot; Wellington=wellington; Tree=boottree; Rider=wellington
Fashion > Bags > Backpacks: backpack; Tote=tote; Duffel=duffel; Crossbody=saddlebag; Kiondo=basketbag; Cubes=cubes
Fashion > Accessories > Hats & Scarves: beanie; Scarf=scarf; Straw=strawhat; Bucket=strawhat; Neckerchief=neckerchief; \
Gloves=glove; Belt=belt; Umbrella=umbrella
Fashion > Accessories > Watches: watch; Strap=strap; Roll=watchroll; Sunglasses=sunglasses; Rings=rings
Fashion > Accessories > Socks: sock; Tights=tights; Handkerchiefs=hanky
Home & Kitchen > Coffee > Makers: espresso; Grinder=grinder; Dripper=dripper; Moka=moka; French Press=frenchpress; \
Kettle=kettle; Filters=filters; Pitcher=pitcher; Carafe=carafe
Home & Kitchen > Kitchen > Cookware: pot; Skillet=skillet; Crepe=skillet; Wok=wok; Saucepan=saucepans; Roasting=tin; \
Bowls=bowls; Spatula=spatula; Spoon=spoon; Scale=kitchenscale
Home & Kitchen > Kitchen > Knives: knife; Bread=breadknife; Block=knifeblock; Whetstone=whetstone; Board=board; \
Shears=scissors; Peeler=peeler
Home & Kitchen > Dining > Mugs & Glasses: mug; Cups=cup; Wine=wineglass; Glasses=glasses; Plates=plates; Bowls=bowls; \
Carafe=carafe; Straw=straw
Home & Kitchen > Bedroom > Bedding: bed; Pillow=pillow; Bathrobe=robe; Towel=towels; Throw=throw; Wool Duvet=throw; \
Protector=mattress
Home & Kitchen > Living > Lamps: lamp; Mushroom=mushroomlamp; Arc =arclamp; Pendant=pendant; Clip=clipin; Salt=rock; \
Architect=desklamp; Lantern=lantern; Candles=candles; Candle=jarcandle
Home & Kitchen > Storage > Boxes & Jars: jar; Canisters=canisters; Basket=basket; Rack=shelf; Bread=breadbin; \
Boxes=boxes; Hooks=hooks; Hamper=hamper; Vacuum=vacuumbag
Sports > Running > Shoes: runner; Insoles=sandal
Sports > Running > Apparel: jacket; Socks=sock; Shorts=shorts; Tights=tights; Vest=vest; Headlamp=headlamp; \
Belt=beltpack; Sweatband=sweatband
Sports > Cycling > Gear: bike; Helmet=helmet; Lights=bikelight; Tool=multitool; Pump=pump; Tube=innertube; \
Patch=patchkit; Pannier=pannier; Lube=oilbottle; Gloves=glove
Sports > Yoga > Mats & Props: mat; Block=block; Strap=yogastrap; Bolster=bolster; Cushion=zafu; Roller=roller; \
Ball=threeballs
Sports > Hiking > Camp: tent; Sleeping=sleepingbag; Mattress=airmat; Stove=stove; Poles=poles; Pack=backpack; \
Bottle=bottle; Dry=drybag; Whistle=whistle
Sports > Fitness > Weights: dumbbell; Kettlebell=kettlebell; Bands=bands; Rope=rope; Bar=pullupbar; Rowing=rower; \
Bench=bench; Mat=mat
Sports > Water > Swimming: goggles; Cap=swimcap; Fins=fins; Kickboard=kickboard; Towel=towels; Wetsuit=wetsuit; \
Paddle=paddleboard; Plugs=earplugs
Sports > Team Sports > Balls: football; Basketball=basketball; Volleyball=volleyball; Rugby=rugby; \
Badminton=racket; Table Tennis=tabletennis; Pump=pump; Armband=armband
Garden > Watering > Cans & Hoses: wateringcan; Mister=mister; Reel=hosereel; Hose=hose; Drip=dripkit; Barrel=barrel; \
Timer=timer
Garden > Seeds & Bulbs: seeds; Sunflower=sunflower; Tulip=tulip; Daffodil=tulip; Lavender=lavender; Herb=herbs
Garden > Pots & Planters: pot2; Pot 18=leafypot; Self=leafypot; Saucer=saucer; Raised=planterbox; \
Hanging=hangingplanter; Box=planterbox; Rail=planterbox; Compost=sack
Garden > Tools > Hand Tools: trowel; Hand Fork=handfork; Secateurs=secateurs; Saw=saw; Spade=spade; Fork=fork; \
Shears=shears; Gloves=glove; Twine=twine
Garden > Furniture: gardenchair; Bistro=bistro; Storage=storagebench; Bench=parkbench; Hammock=hammock; \
Parasol=parasol; Lounger=lounger; Cushion=pillow; Lounge=sofa
Garden > Outdoor Cooking: grill; Table-Top=bucketgrill; Fire Bowl=firebowl; Pizza=pizzaoven; Kamado=kamado; \
Charcoal=sack; Chimney=chimney; Tongs=tongs; Firelighters=matches; Brush=grillbrush
Garden > Wildlife > Birds & Bees: birdhouse; Feeder=feeder; Hearts=birdseed; Fat=fatballs; Bee=beehotel; \
Bath=birdbath; Hedgehog=hedgehog; Path=pathlight; Festoon=festoon
Office > Paper > Printer Paper: paperream; Heavy=paperstack; Photo=film; Card=colourcards; Envelopes=envelope; \
Labels=labels; Pad=sketchpad
Office > Writing > Pens & Pencils: pen; Mechanical=pencil; Pencils=pencils; Pencil=pencil; Eraser=eraser; \
Fountain Ink=inkbottle; Highlighters=markers; Markers=markers; Gel=pencils
Office > Writing > Notebooks: notebook; Pocket=notebooks; Spiral=spiral; Sticky=sticky; Planner=planner; \
Pad=sketchpad; Folio=folio
Office > Furniture > Desks: desk; Converter=converter; Arm=computer; Cable=cabletray; Pedestal=pedestal; \
Mat=standmat; Riser=riser
Office > Furniture > Chairs: chair; Stool=stool; Visitor=visitorchair; Kneeling=stool; Cushion=pillow; \
Footrest=footrest; Castors=castors; Mat=chairmat
Office > Filing > Storage: leverfile; Files, 10=leverfiles; Magazine=magholder; Wallets=wallet; Organiser=organiser; \
Tray=tray; Fireproof=firebag; Archive=archive
Office > Desk > Accessories: stapler; Staples=staples; Tape=tape; Scissors=scissors; Pen Cup=pencup; \
Calendar=calendar; Clips=clips; Clock=clock; Calculator=calculator
Toys > Building > Blocks: blocks; Arches=arches; Brick=bricks; Baseplates=baseplate; Tiles=tiles; Marble=marblerun; \
Gear=gears; Dome=dome
Toys > Puzzles: puzzle; Peg=pegpuzzle; Brain=cubes6; Balance=balance; Roll=puzzleroll
Toys > Games > Board Games: boardgame; Captains=ship; Orchard=orchard; Chess=chess; Mancala=mancala; Cards=cards; \
Dice=dice; Quiz=quizbox; Word=wordtiles
Toys > Soft Toys: bear; Elephant=elephant; Otter=otter; Rabbit=rabbit; Dragon=dragon; Fox=fox; Doll=doll; \
Dinosaur=dino
Toys > Vehicles & Trains: train; Track=track; Van=van; Fire Engine=fireengine; Tractor=tractor; Racing=racers; \
Bike=bike; Scooter=scooter; Kite=kite
Toys > Art & Craft: crayons; Watercolour=palette; Finger=paintpots; Clay=claybars; Origami=origami; \
Bracelet=bracelet; Loom=loom; Sticker=stickers; Scissors=scissors
Beauty > Skin > Creams & Serums: jarcream; Serum=dropper; Sunscreen=tube; Hand=tube; Lip=balm; Micellar=pump2
Beauty > Hair > Care: soap; Curl=tube; Oil=dropper; Mask=hairmask; Brush=brush; Comb=combs; Scrunchies=scrunchie
Beauty > Bath > Soap & Bath: soap; Block=soapstack; Salts=jar; Bombs=bombs; Refill=pouch; Butter=jarcream; \
Loofah=loofah; Dish=soapdish
Beauty > Make-Up: compact; Foundation=dropper; Lipstick=lipstick; Mascara=mascara; Brow=pencil; Palette=eyepalette; \
Brush Set=makeupbrushes; Polish=polish
Beauty > Fragrance: perfume; Discovery=vials; Solid=compact; Diffuser=diffuser; Spray=spray; Mist=spray
Beauty > Shaving & Teeth: razor; Blades=blades; Soap=jarcream; Brush =shavebrush; Oil=dropper; Balm=pump2; \
Toothbrush=toothbrush; Toothpaste=tube; Floss=floss
Grocery > Drinks > Coffee: coffeebag; Jar=jamjar; Chocolate=spicetin; Oat=carton; Cold=pouch
Grocery > Drinks > Tea: teapack; Kericho=teacup; Green=teacup; Box=teatins; Hibiscus=hibiscus; Chai=cup
Grocery > Cupboard > Pasta & Grains: pasta; Spaghetti=spaghetti; Penne=penne; Rice=grainsack; Lentils=bowlgrain; \
Chickpeas=jamjar; Oats=bowlgrain; Flour=sack
Grocery > Cupboard > Oils & Sauces: oilbottle2; Passata=sauce; Chilli=sauce; Soy=sauce; Pesto=jamjar; Mustard=jamjar; \
Coconut=tincan
Grocery > Sweets > Chocolate & Biscuits: chocolate; Truffles=truffles; Shortbread=biscuits; Biscuits=biscuits; \
Liquorice=sweets; Fudge=sweets; Marshmallows=marshmallow
Grocery > Snacks > Nuts & Dried Fruit: nuts; Crisps=snackbag; Trail=snackbag; Mango=mango; Popcorn=popcorn; \
Granola=bowlgrain
Grocery > Cupboard > Honey & Spices: spicetin; Honey=honey; Butter=jamjar; Jam=jamjar; Marmalade=jamjar; \
Peppercorns=grindmill; Salt=grindmill; Vanilla=vanilla
Pets > Dogs > Food: kibble; Tins=tins; Treats=treats; Chews=treats; Bone=bone; Biscuits=dogbowl; Puppy=dogbowl
Pets > Dogs > Walks: lead; Collar Clip=lightclip; Collar=collar; Harness=harness; Bags=pooroll; Raincoat=dogcoat; \
Bowl=dogbowl; Towel=towels
Pets > Cats > Food & Litter: catface; Pouches=catpouch; Treats=catpouch; Pellet=littersack; Clay=littersack; \
Box=litterbox; Scoop=scoop
Pets > Cats > Toys & Scratchers: wand; Mice=toymouse; Post=scratchpost; Tree=cattree; Lounge=scratchlounge; \
Puzzle=puzzletray; Perch=windowperch; Tower=balltower; Tunnel=tunnel
Pets > Beds & Carriers: petbed; Mattress=mattress; Cave=cave; Blanket=blanket; Carrier=carrier; Transport=carrier; \
Liner=bootliner; Cot=cot; Heated=heatpad
Pets > Small Pets > Birds & Fish: fish; Flakes=flakes; Granules=flakes; Driftwood=driftwood; Aquarium=aquarium; \
Filter=filterpads; Mix=bird; Swing=swing; Hay=hay; Tunnel=tunnel; Wheel=wheel
Electronics: charger
Fashion: tee
Home & Kitchen: pot
Sports: football
Garden: leafypot
Office: notebook
Toys: blocks
Beauty: jarcream
Grocery: basket
Pets: paw
"""


class Shelf(NamedTuple):
    """What is drawn for a category, unless the title of the product contains one of the words."""

    drawing: str
    by_word: tuple[tuple[str, str], ...]


def _read_shelves(source: str) -> dict[str, Shelf]:
    shelves = {}
    for line in filter(None, source.splitlines()):
        category, _, rules = line.partition(": ")
        drawing, *words = [rule.lstrip() for rule in rules.split(";")]
        pairs = tuple((word, name.strip()) for word, _, name in (rule.partition("=") for rule in words))
        shelves[category] = Shelf(drawing.strip(), pairs)
    return shelves


SHELVES: dict[str, Shelf] = _read_shelves(_SHELVES)


def drawing_for(title: str, category: str) -> str:
    """The name of the drawing for a product: by its shelf and title, else by its department, else a parcel."""
    path = category.split(" > ")
    while path:
        shelf = SHELVES.get(" > ".join(path))
        if shelf is not None:
            return next((name for word, name in shelf.by_word if word in title), shelf.drawing)
        path.pop()
    return "parcel"
